from odoo import api, models
from odoo.exceptions import ValidationError

from ..channels import CHANNELS
from .customer_segment import UNUSABLE
from .purposes import PURPOSES

DEFAULT_PURPOSE = "offers"
# People that the screen has room for.
SHOWN_PEOPLE = 5
CHANNEL_ICONS = {"email": "fa-envelope", "sms": "fa-mobile"}


class CustomerSegment(models.Model):
    """Who a segment has and who of them can be written to, while it is edited."""

    _inherit = "customer.segment"

    @api.model
    def get_preview(self, question):
        """Say who is in a segment as it stands on a screen; it need not be saved.

        :param dict question: ``kind``, ``criteria`` (JSON) and ``company_id`` of the
            segment; ``segment_id`` if it is saved. Those who may not write segments
            name a saved one, and its own criteria if any
        :return: ``size``, ``sample`` (dicts with ``id``, ``name``, ``email``),
            ``error`` and ``hint`` (texts or False), ``purposes`` to choose from (pairs)
        :rtype: dict
        :raises AccessError: for other criteria, from those who may not write segments
        """
        self.check_access("read")
        answer = {
            "size": 0,
            "sample": [],
            "error": False,
            "hint": False,
            "purpose": DEFAULT_PURPOSE,
            "purposes": self._get_purpose_labels(),
        }
        try:
            segment = self._from_question(question)
        except ValidationError as error:
            return {**answer, "error": str(error)}
        if not segment:
            return {**answer, "hint": self._get_preview_hint(question)}
        answer.update(segment.preview())
        answer["sample"] = answer["sample"][:SHOWN_PEOPLE]
        if not answer["size"] and not answer["error"]:
            answer["hint"] = self._get_preview_hint(question, segment)
        return answer

    @api.model
    def get_reach(self, question, purpose=None):
        """Say how many people of a segment on a screen can be written to.

        :param dict question: see :meth:`get_preview`
        :param str purpose: key of ``PURPOSES``, offers if there is none
        :return: ``purpose``, and ``channels`` with ``key``, ``label``, ``icon``,
            ``reachable`` (a number) and ``reasons``: ``key``, ``label`` and ``count``
            of those who cannot be written to, the most frequent one first
        :rtype: dict
        """
        self.check_access("read")
        if purpose not in dict(PURPOSES):
            purpose = DEFAULT_PURPOSE
        try:
            segment = self._from_question(question)
        except ValidationError:
            segment = self.browse()
        if not segment:
            return {"purpose": purpose, "channels": []}
        channels = [segment._describe_reach(key, purpose) for key, _label in CHANNELS]
        return {"purpose": purpose, "channels": channels}

    # === WHAT IS ON THE SCREEN ===#

    def _from_question(self, question):
        """Return the segment that is on a screen, as a record that may not be saved.

        :rtype: customer.segment
        :raises AccessError: for criteria of somebody who may not write segments
        :raises ValidationError: if the question or its criteria cannot be understood
        """
        saved = self.browse(self._read_id(question, "segment_id") or []).exists()
        saved.check_access("read")
        if question.get("kind") == "static":
            return saved if saved.kind == "static" else self.browse()
        criteria = question.get("criteria")
        if not self.has_access("write"):
            if not saved or criteria not in (None, False, "", saved.criteria):
                self.check_access("write")
            return saved
        company = self.env["res.company"].browse(self._read_id(question, "company_id"))
        company = company if company in self.env.companies else self.env.company
        values = {"kind": "dynamic", "company_id": company.id}
        if not criteria or self.new({"criteria": criteria})._has_no_conditions():
            return self.browse()
        return self.new({**values, **self._prepare_criteria_vals(criteria)})

    def _get_preview_hint(self, question, segment=None):
        """Say what to do where there is nobody to show."""
        if segment and segment.kind == "dynamic":
            return self.env._("Nobody meets this. Change or remove a condition.")
        if segment:
            return self.env._("Nobody is in it yet. Add contacts, or import a file.")
        if question.get("kind") == "static":
            return self.env._("Save it, then add contacts or import a file.")
        return self.env._("As soon as there is a condition, you see here who meets it.")

    # === WHO CAN BE WRITTEN TO ===#

    def _describe_reach(self, channel, purpose):
        """Return what the screen shows about one channel, see :meth:`get_reach`.

        :param str channel: key of ``CHANNELS``
        :param str purpose: key of ``PURPOSES``
        :rtype: dict
        """
        counts = self._estimate_reach(channel, purpose)
        labels = self._get_labels("marketing.message", "reason")
        reasons = sorted(
            ((count, key) for key, count in counts.items() if key), reverse=True
        )
        return {
            "key": channel,
            "label": self._get_labels("marketing.message", "channel")[channel],
            "icon": CHANNEL_ICONS[channel],
            "reachable": counts.get(None, 0),
            "reasons": [
                {"key": key, "label": labels.get(key, key), "count": count}
                for count, key in reasons
            ],
        }

    def _estimate_reach(self, channel, purpose):
        """Return how many people can be written to, and why others cannot.

        :param str channel: key of ``CHANNELS``
        :param str purpose: key of ``PURPOSES``
        :return: number of people by reason, None for those who can be reached; empty
            while a condition cannot be evaluated
        :rtype: dict[str | None, int]
        """
        try:
            with self.env.cr.savepoint():
                query = self.sudo()._get_partner_query(reader=self._get_asker())
                return (
                    self.env["marketing.gate"]
                    .sudo()
                    ._estimate(query, self.company_id, channel, purpose)
                )
        except UNUSABLE:
            return {}

    @api.model
    def _get_purpose_labels(self):
        labels = self._get_labels("marketing.preference", "purpose")
        return [[key, labels[key]] for key, _label in PURPOSES]

    @api.model
    def _get_labels(self, model, name):
        """Return what people read for the values of a selection, by key.

        :rtype: dict[str, str]
        """
        return dict(self.env[model]._fields[name]._description_selection(self.env))
