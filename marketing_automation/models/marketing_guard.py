"""What is true of all records that managers edit, whoever calls and by whatever way.

A form shows what its user may choose, and fields that are readonly on a screen; a
program that calls ``create`` and ``write`` over RPC is not bound to either.
"""

from odoo import api, models
from odoo.exceptions import AccessError, ValidationError


class MarketingGuard(models.AbstractModel):
    """Records that name nothing their writer may not see, that stay where their writer
    works, and whose own figures and states nobody writes."""

    _name = "marketing.guard"
    _description = "Marketing Guard"
    # Whether fields that are readonly are written by our own code alone (with sudo).
    _guards_readonly = True

    @api.model_create_multi
    def create(self, vals_list):
        if self.env.su:
            return super().create(vals_list)
        prefix = "default_"
        defaults = {
            key.removeprefix(prefix): value
            for key, value in self.env.context.items()
            if key.startswith(prefix)
        }
        for vals in vals_list:
            self.browse()._without_unchanged(vals)
            self.browse()._check_given({**defaults, **vals})
        # A default for a state, such as that of a column of cards, is none.
        locked = {f"{prefix}{name}" for name in self._get_locked_fields()}
        context = {k: v for k, v in self.env.context.items() if k not in locked}
        # Without these keys is meant, not with others besides.
        records = self.with_context(context)  # pylint: disable=context-overridden
        return super(MarketingGuard, records).create(vals_list).with_env(self.env)

    def write(self, vals):
        if self.env.su:
            return super().write(vals)
        vals = self._without_unchanged(vals)
        self._check_given(vals)
        result = super().write(vals)
        if any(self._fields[name].relational for name in vals if name in self._fields):
            # Odoo asks its rules before; where the records are now is another matter.
            self.check_access("write")
        return result

    def onchange(self, values, field_names, fields_spec):
        """Answer a form, as far as it names nothing that its user may not see."""
        self._check_given(values)
        return super().onchange(values, field_names, fields_spec)

    @api.model
    def _get_locked_fields(self):
        """Return the fields that say what became of a record.

        :rtype: set[str]
        """
        return {
            name
            for name, field in self._fields.items()
            if self._guards_readonly
            and field.store
            and field.readonly
            and name not in models.MAGIC_COLUMNS
        }

    def _without_unchanged(self, vals):
        """Refuse to write what follows from something else.

        :param dict vals: as for ``create`` and ``write``
        :return: those to be written: clients may send back what they have read
        :rtype: dict
        :raises AccessError: for values that would change such a field
        """
        locked = self._get_locked_fields() & vals.keys()
        if not self:
            # What goes along with a copy may be said of a new record, too.
            locked = {name for name in locked if not self._fields[name].copy}
        for name in sorted(locked):
            field = self._fields[name]
            same = [field.convert_to_write(record[name], record) for record in self]
            if not self or any(value != vals[name] for value in same):
                raise AccessError(
                    self.env._(
                        "“%s” cannot be written: it says what became of the record. "
                        "Use the buttons of its form.",
                        field._description_string(self.env),
                    )
                )
        return {name: value for name, value in vals.items() if name not in locked}

    def _check_references(self):
        """Refuse to go on with records that name something the user may not see: what
        could be seen when they were written may be gone from sight by now.

        :raises AccessError: if there is any
        """
        for name, field in self._fields.items():
            if field.store and field.relational and name not in models.MAGIC_COLUMNS:
                self._check_visible(self.sudo().mapped(name))

    def _check_given(self, vals):
        """Refuse values that name records which the user may not see; what is named
        already may stay, and be sent back as it was read.

        :param dict vals: as for ``create`` and ``write``
        :raises AccessError: if there is any
        """
        for name, value in vals.items():
            field = self._fields.get(name)
            if field is None or not field.relational or name in models.MAGIC_COLUMNS:
                continue
            named = _ids_in(value)
            if named and field.store and len(self) == 1:
                named -= set(self.sudo()[name].ids)
            self._check_visible(self.env[field.comodel_name].browse(named))

    @api.model
    def _read_id(self, question, name):
        """Return an id of a question that came from outside.

        :rtype: int | bool
        :raises ValidationError: for anything that is no id
        """
        value = question.get(name) or False
        if value is not False and (
            not isinstance(value, int) or isinstance(value, bool) or value >= 2**31
        ):
            raise ValidationError(self.env._("“%s” is no id.", value))
        return value

    @api.model
    def _check_visible(self, records):
        records = records.sudo(False).with_context(active_test=False)
        if records and not records.exists().has_access("read"):
            raise AccessError(
                self.env._(
                    "You have no access to one of the records that were named (%s).",
                    self.env["ir.model"]._get(records._name).sudo().name,
                )
            )


def _ids_in(value):
    """Return the ids of records that a value of a relational field names.

    :param value: an id, a list of ids, or a list of commands
    :rtype: set[int]
    """
    ids = []
    for item in value if isinstance(value, (list, tuple)) else [value]:
        if isinstance(item, (list, tuple)) and len(item) > 1:
            # (6, 0, ids) names many, (0, 0, values) none.
            others = item[2] if item[0] == 6 and len(item) > 2 else [item[1]]
            ids.extend(others or ())
        else:
            ids.append(item)
    return {i for i in ids if isinstance(i, int) and not isinstance(i, bool) and i > 0}
