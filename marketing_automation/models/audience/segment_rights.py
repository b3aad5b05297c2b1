"""With whose rights a domain that somebody wrote is evaluated.

What says something about contacts alone is evaluated for the whole company at once.
Whatever leads further, to messages, orders, users or devices, finds what its writer may
see there and nothing else: a segment is no way around the rules of other models.
"""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

# Where a path may go on from a contact: lists that everybody reads in every form.
PLAIN_MODELS = {
    "product.public.category",
    "res.country",
    "res.country.group",
    "res.country.state",
    "res.lang",
    "res.partner.category",
    "res.partner.industry",
}
# Figures of contacts: each counts in the company that the segment belongs to.
FIGURES = ("_compute_marketing_metrics", "_compute_marketing_carts")


class CustomerSegmentCondition(models.Model):
    """Who wrote a condition, and what it may look at."""

    _inherit = "customer.segment.condition"

    writer_id = fields.Many2one(
        "res.users",
        string="Written By",
        readonly=True,
        copy=False,
        default=lambda self: self.env.uid,
        ondelete="set null",
        index="btree_not_null",
        help="A condition that looks further than at contacts finds what this user may "
        "see. Whoever changes or copies it becomes its writer.",
    )

    @api.model
    def _without_writer(self, vals):
        """Return values without a writer: nobody names another one.

        :param dict vals: as they are written or created
        :rtype: dict
        """
        return {name: value for name, value in vals.items() if name != "writer_id"}

    def _get_reader(self, domain):
        """Return with whose rights a domain is evaluated.

        :param odoo.fields.Domain domain: over contacts
        :return: a user; none if it is about contacts alone
        :rtype: res.users
        :raises UserError: when its writer is no user any more
        """
        if self._is_about_contacts_alone(domain, self.env["res.partner"]):
            return self.env["res.users"]
        writer = self.writer_id._origin or (
            self.env["res.users"] if self._origin.id else self.env.user
        )
        if not writer:
            raise UserError(
                self.env._(
                    "“%(domain)s” looks at more than contacts, with the rights of the "
                    "user who wrote it, and that user was deleted. Save the condition "
                    "anew: then it looks with your rights.",
                    domain=self.domain,
                )
            )
        return writer

    @api.model
    def _is_about_contacts_alone(self, domain, model):
        """Whether a domain looks at nothing but fields of contacts, and at plain lists
        such as countries and tags.

        :param odoo.fields.Domain domain: as people wrote it
        :param odoo.models.Model model: what it is over
        :rtype: bool
        """
        return all(
            self._is_plain(leaf, model) and self._is_plain_value(leaf, model)
            for leaf in domain.iter_conditions()
        )

    @api.model
    def _is_plain(self, leaf, model):
        """Whether each field on the path of a leaf is stored, seen by everybody who
        sees the record, and leads to plain lists at most."""
        for name in leaf.field_expr.split("."):
            field = model._fields.get(name) if model is not None else None
            if field is None:
                return False
            is_figure = (
                model._name == "res.partner"
                and field.compute in FIGURES
                and field.search
            )
            if not is_figure and (not field.store or field.groups):
                return False
            if field.type in ("properties", "reference", "many2one_reference"):
                return False
            model = None
            if field.relational:
                if field.comodel_name not in PLAIN_MODELS:
                    return False
                model = self.env[field.comodel_name]
        return True

    @api.model
    def _is_plain_value(self, leaf, model):
        if leaf.operator not in ("any", "not any"):
            return True
        for name in leaf.field_expr.split("."):
            model = self.env[model._fields[name].comodel_name]
        return self._is_about_contacts_alone(Domain(leaf.value), model)
