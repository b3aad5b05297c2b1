from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.misc import hmac

MAX_LENGTH = 500


class MarketingEngagement(models.Model):
    """What people did with a message. Rows are added and never changed."""

    _name = "marketing.engagement"
    _description = "Message Engagement"
    _order = "occurred_at desc, id desc"
    _rec_name = "kind"
    _log_access = False

    message_id = fields.Many2one(
        "marketing.message",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(
        related="message_id.company_id", store=True, readonly=True
    )
    kind = fields.Selection(
        [("click", "Click"), ("unsubscribe", "Unsubscribe")],
        required=True,
        readonly=True,
    )
    occurred_at = fields.Datetime(string="When", required=True, readonly=True)
    url = fields.Char(string="Link", readonly=True)
    user_agent = fields.Char(readonly=True)
    is_machine = fields.Boolean(
        string="Machine",
        readonly=True,
        help="A scanner or robot, not the person: kept, but not counted.",
    )

    @api.model
    def _record(self, token, kind, url=None, user_agent=None, is_machine=False):
        """Record that something happened with a message, in one statement.

        :param str token: the message's token
        :param str kind: key of ``kind``
        :param str url: the link that was followed
        :param str user_agent: what the browser says it is
        :param bool is_machine: whether a machine did it
        :return: whether there is such a message
        :rtype: bool
        """
        rows = self.env.execute_query(
            SQL(
                """INSERT INTO marketing_engagement (
                          message_id, company_id, kind, occurred_at, url, user_agent,
                          is_machine)
                   SELECT m.id, m.company_id, %s, %s, %s, %s, %s
                     FROM marketing_message m WHERE m.token = %s
                RETURNING id""",
                kind,
                fields.Datetime.now(),
                url and url[:MAX_LENGTH],
                user_agent and user_agent[:MAX_LENGTH],
                is_machine,
                token,
            )
        )
        self.env["marketing.message"].invalidate_model(["engagement_ids"])
        return bool(rows)

    @api.model
    def _get_link_secret(self):
        """Return the key that signs links, of this database and this purpose alone.

        :rtype: str
        """
        return hmac(self.sudo().env, "marketing_automation-links", "v1")
