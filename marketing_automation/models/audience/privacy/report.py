"""What is stored about a person, and what is done with it, in words."""

from odoo import api, models
from odoo.tools import LazyTranslate

from .registry import ANONYMIZE, DELETE, KEEP

_lt = LazyTranslate(__name__)

DONE = {
    DELETE: _lt("Deleted"),
    ANONYMIZE: _lt("Kept without the person, for the figures"),
    KEEP: _lt("Kept: it holds no address"),
}


class MarketingPrivacy(models.AbstractModel):
    _inherit = "marketing.privacy"

    @api.model
    def _describe(self, person):
        """Say what is stored about a person and what would become of it.

        :param Person person: see :meth:`_find_person`
        :return: ``rows`` with label, count and what is done; ``stays``, why contacts
            stay; ``contacts``, how many; ``is_found``; ``is_forgotten``
        :rtype: dict
        """
        counts = self._count_stored(person)
        rows = [
            {
                "label": self.env._(stored.label),
                "count": counts[stored.model],
                "done": self.env._(DONE[stored.at_forget]),
            }
            for stored in self._get_stored()
            if stored.model in counts and stored.label
        ]
        shoppers = self._find_shoppers(person)
        outside = {
            **{model: len(ids) for model, ids in self._find_outside(person).items()},
            "res.partner": len(shoppers),
        }
        rows += [
            {"label": label, "count": count, "done": self.env._(DONE[DELETE])}
            for label, count in self._name_counts(outside)
        ]
        return {
            "rows": rows,
            "contacts": len(person.partner_ids),
            "stays": self._describe_stays(person, shoppers),
            "is_found": bool(rows or person.partner_ids),
        }

    @api.model
    def _describe_stays(self, person, shoppers):
        """Say which contacts stay, and why.

        :param res.partner shoppers: contacts that go
        :return: ``count``, ``reasons``
        :rtype: dict
        """
        return {
            "count": len(person.partner_ids) - len(shoppers),
            "reasons": self._describe_uses(person),
        }

    @api.model
    def _name_counts(self, counts):
        """Return counts by what the rows are.

        :param dict counts: number of rows by model
        :return: pairs of label and number, without those that have none
        :rtype: list[tuple[str, int]]
        """
        labels = {
            stored.model: stored.label and self.env._(stored.label)
            for stored in self._get_stored()
        }
        names = self.env["ir.model"].sudo()
        return [
            (labels.get(model) or names._get(model).name, count)
            for model, count in counts.items()
            if count and labels.get(model, True)
        ]
