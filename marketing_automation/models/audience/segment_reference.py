from odoo import api, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL


class CustomerSegment(models.Model):
    """Segments of segments: conditions ask for the members another segment has.

    An archived segment keeps its members, and so does what depends on it.
    """

    _inherit = "customer.segment"

    # === CRUD METHODS ===#

    def unlink(self):
        """Segments that need each other may go together. With a segment go its rows,
        which no foreign key takes along."""
        self.env["customer.segment.condition"].search(
            [("owner_id", "in", self.ids), ("other_segment_id", "in", self.ids)]
        ).unlink()
        ids = self.ids
        result = super().unlink()
        for name in ("segment.membership", "segment.membership.event"):
            rows = SQL.identifier(self.env[name]._table)
            self.env.cr.execute(
                SQL("DELETE FROM %s WHERE segment_id = ANY(%s)", rows, ids)
            )
        self._forget_members()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_referenced(self):
        """Conditions of others would mean other people all at once."""
        for segment in self:
            others = segment._get_dependents() - self
            if others:
                raise UserError(
                    self.env._(
                        "“%(segment)s” is part of the conditions of %(others)s. Change "
                        "these conditions first, or archive the segment: then it keeps "
                        "the members it has.",
                        segment=segment.name,
                        others=", ".join(f"“{name}”" for name in others.mapped("name")),
                    )
                )

    # === BUSINESS METHODS ===#

    def _get_dependents(self):
        """Return the segments whose conditions name one of these, archived ones too.

        :rtype: customer.segment
        """
        return (
            self.env["customer.segment.condition"]
            .sudo()
            .search([("other_segment_id", "in", self.ids)])
            .owner_id
        )

    def _get_references(self):
        """Return the segments that the conditions of these name, however deep.

        :rtype: customer.segment
        """
        conditions = (
            self.env["customer.segment.condition"]
            .sudo()
            .search(
                [("owner_id", "in", self.ids), ("other_segment_id", "!=", False)],
                order="id",
            )
        )
        return conditions.other_segment_id

    def _check_no_cycle(self):
        """A segment cannot depend on itself, however many others are in between.

        :raises ValidationError: with the way from the segment back to itself
        """
        for segment in self:
            way = segment._find_way_to(segment)
            if way:
                raise ValidationError(
                    self.env._(
                        "“%(segment)s” would depend on itself: %(way)s. Remove one of "
                        "these conditions.",
                        segment=segment.name,
                        way=" → ".join(way.mapped("name")),
                    )
                )

    def _find_way_to(self, target):
        """Return the segments on the shortest way along conditions, both ends included.

        :param customer.segment target: where to go
        :return: empty if no way leads there
        :rtype: customer.segment
        """
        ways, seen = [self], set()
        while ways:
            way = ways.pop(0)
            for other in way[-1]._get_references():
                if other == target:
                    return way.browse([*way.ids, other.id])
                if other.id not in seen:
                    seen.add(other.id)
                    ways.append(way.browse([*way.ids, other.id]))
        return self.browse()

    def _sort_by_reference(self):
        """Return these segments, each after those that its conditions name.

        :rtype: customer.segment
        """
        done, todo = [], [(segment.id, False) for segment in reversed(self)]
        seen = set()
        while todo:
            segment_id, is_left = todo.pop()
            if is_left:
                done.append(segment_id)
            elif segment_id not in seen:
                seen.add(segment_id)
                todo.append((segment_id, True))
                others = self.browse(segment_id)._get_references()
                todo += [(other.id, False) for other in others]
        return self.browse(i for i in done if i in set(self.ids))
