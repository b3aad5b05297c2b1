from odoo import fields, models


class MarketingMessage(models.Model):
    """A message of an A/B test says what its variant says."""

    _inherit = "marketing.message"

    variant_id = fields.Many2one(
        "ab.test.variant",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="Of the A/B test of its campaign.",
    )

    def _get_overrides(self):
        variant = self.variant_id.with_context(lang=self._get_lang_code())
        return super()._get_overrides() | variant._get_overrides()
