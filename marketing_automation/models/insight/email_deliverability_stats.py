from odoo import api, fields, models
from odoo.tools import SQL

# What each rate is a share of those sent of.
RATES = {
    "bounce_rate": "bounced_count",
    "complaint_rate": "complained_count",
    "open_rate": "opened_count",
    "click_rate": "clicked_count",
}


class EmailDeliverabilityStats(models.Model):
    """What became of the emails that went to one mail domain on one day.

    Whether emails arrive is a property of who sends them: campaigns and sequences are
    counted together, in ``deliverability_count.py``. Nothing here is about a person.
    """

    _name = "email.deliverability.stats"
    _description = "Deliverability"
    _order = "day desc, sent_count desc, id"
    _rec_name = "domain"
    _log_access = False

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade"
    )
    day = fields.Date(string="Sent On", required=True, readonly=True)
    domain = fields.Char(
        required=True,
        readonly=True,
        help="Of the address. “other”: all those that got fewer than five on this day.",
    )
    sent_count = fields.Integer(string="Sent", readonly=True)
    delivered_count = fields.Integer(
        string="Delivered", readonly=True, help="Not every account reports it."
    )
    deferred_count = fields.Integer(
        string="Deferred",
        readonly=True,
        help="Sent in the end, after the server had asked to try again later; as far "
        "as the account says so.",
    )
    bounced_count = fields.Integer(string="Bounced", readonly=True)
    complained_count = fields.Integer(
        string="Complained", readonly=True, help="Marked as spam."
    )
    opened_count = fields.Integer(
        string="Opened",
        readonly=True,
        help="Messages opened or clicked by a person, as far as that can be told.",
    )
    clicked_count = fields.Integer(
        string="Clicked", readonly=True, help="Messages with a click."
    )
    bounce_rate = fields.Float(
        string="Bounced, %", readonly=True, aggregator="avg", digits=(5, 2)
    )
    complaint_rate = fields.Float(
        string="Complained, %",
        readonly=True,
        aggregator="avg",
        digits=(5, 2),
        help="Large mail providers want less than 0.1 and refuse from 0.3.",
    )
    open_rate = fields.Float(
        string="Opened, %", readonly=True, aggregator="avg", digits=(5, 2)
    )
    click_rate = fields.Float(
        string="Clicked, %", readonly=True, aggregator="avg", digits=(5, 2)
    )
    counted_at = fields.Datetime(string="Counted", readonly=True)

    _domain_day_uniq = models.UniqueIndex(
        "(company_id, day, domain)", "A domain of a day is counted once."
    )

    @api.model
    def _read_group_select(self, aggregate_spec, query):
        """The rate of several rows is that of their sums, not the mean of their rates:
        a domain with ten emails does not weigh as much as one with a million."""
        name, _colon, aggregator = aggregate_spec.partition(":")
        if name not in RATES or aggregator != "avg":
            return super()._read_group_select(aggregate_spec, query)
        # Reading the rate is reading what it is made of.
        return SQL(
            "100.0 * SUM(%s) / NULLIF(SUM(%s), 0)",
            self._field_to_sql(self._table, RATES[name], query),
            self._field_to_sql(self._table, "sent_count", query),
        )
