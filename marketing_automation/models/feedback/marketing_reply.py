from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from ...tools.masking import mask_tokens
from ...tools.objections import may_be_objection
from ..channels import CHANNELS

MANAGER = "marketing_automation.group_marketing_manager"
USER = "marketing_automation.group_marketing_user"


class MarketingReply(models.Model):
    """What people answered, for a person to read: any words may be an objection.

    Who unsubscribed is done with. Of what may be an objection, somebody is told.
    """

    _name = "marketing.reply"
    _description = "Reply"
    _order = "received_at desc, id desc"
    _rec_name = "address"

    company_id = fields.Many2one("res.company", required=True, readonly=True)
    message_id = fields.Many2one(
        "marketing.message",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="What they answered; empty if it is not known.",
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    channel = fields.Selection(CHANNELS, required=True, readonly=True)
    address = fields.Char(
        string="From",
        required=True,
        readonly=True,
        index=True,
        help="The address or number that was written to.",
    )
    received_at = fields.Datetime(string="Received On", required=True, readonly=True)
    text = fields.Text(string="Reply", readonly=True)
    kind = fields.Selection(
        [
            ("unsubscribed", "Unsubscribed"),
            ("objection", "May Be an Objection"),
            ("other", "Something Else"),
        ],
        string="Reads As",
        required=True,
        readonly=True,
        help="Whoever unsubscribed gets no further messages. Any other words are for "
        "you to read: record the objection if they mean one.",
    )
    state = fields.Selection(
        [("new", "New"), ("handled", "Handled")],
        string="Status",
        required=True,
        readonly=True,
        default="new",
    )
    is_objection = fields.Boolean(
        string="Objection Recorded",
        readonly=True,
        help="Somebody read it, and recorded that they want no more messages.",
    )
    handled_by_id = fields.Many2one("res.users", readonly=True)
    handled_at = fields.Datetime(string="Handled On", readonly=True)
    external_id = fields.Char(
        string="Event ID", readonly=True, help="The provider's key of the reply."
    )

    _external_id_uniq = models.UniqueIndex(
        "(company_id, external_id) WHERE external_id IS NOT NULL",
        "A reply is kept once.",
    )
    _new_idx = models.Index("(company_id, received_at) WHERE state = 'new'")

    # === TAKING IN ===#

    @api.model
    def _keep(self, pairs, provider):
        """Keep what people answered; each once, however often it is reported.

        :param list pairs: DeliveryEvent and message, which may be empty
        :param marketing.provider provider: who reported it, may be empty
        :return: those that are new
        :rtype: marketing.reply
        """
        rows = [
            row
            for event, message in pairs
            if event.kind in ("reply", "unsubscribe")
            and event.text
            and not message.forgotten_at
            and (row := self._prepare_row(event, message, provider))
        ]
        if not rows:
            return self.browse()
        now = fields.Datetime.now()
        added = self.env.cr.execute_values(
            """INSERT INTO marketing_reply (
                      create_date, write_date, company_id, message_id, partner_id,
                      channel, address, received_at, text, kind, state, external_id)
               VALUES %s ON CONFLICT DO NOTHING RETURNING id""",
            [(now, now, *row) for row in rows],
            page_size=len(rows),
            fetch=True,
        )
        replies = self.browse(reply_id for (reply_id,) in added)
        replies._ask_for_attention()
        return replies

    @api.model
    def _prepare_row(self, event, message, provider):
        company = message.company_id or (provider and provider.company_id)
        address = (message and message._get_address()) or event.address
        if not address:
            return None
        kind = "other"
        if event.kind == "unsubscribe":
            kind = "unsubscribed"
        elif may_be_objection(event.text):
            kind = "objection"
        return (
            (company or self.env.company).id,
            message.id or None,
            message.partner_id.id or None,
            message.channel or ("email" if "@" in address else "sms"),
            address,
            event.occurred_at,
            mask_tokens(event.text.replace("\0", "")),
            kind,
            "handled" if kind == "unsubscribed" else "new",
            event.external_id or f"{address}:{event.occurred_at}",
        )

    def _ask_for_attention(self):
        """Tell whoever is responsible of people whose words may be an objection: once a
        person, until it has been read."""
        for reply in self.filtered(lambda reply: reply.kind == "objection"):
            others = self.search_count(
                [
                    ("id", "!=", reply.id),
                    ("company_id", "=", reply.company_id.id),
                    ("address", "=", reply.address),
                    ("kind", "=", "objection"),
                    ("state", "=", "new"),
                ],
                limit=1,
            )
            responsible = reply._get_responsible()
            if responsible and not others:
                self.env["mail.thread"].message_notify(
                    partner_ids=responsible.partner_id.ids,
                    subject=self.env._("A reply may be an objection"),
                    body=Markup("<p>%s</p><p><a href='%s'>%s</a></p>")
                    % (
                        self.env._(
                            "Somebody answered a message in words that may mean they "
                            "want no more of them. Please read it, and record the "
                            "objection if it is one."
                        ),
                        f"{reply.get_base_url()}/odoo/marketing-replies/{reply.id}",
                        self.env._("Open the reply"),
                    ),
                )

    def _get_responsible(self):
        """Return who is to read this: who looks after the account it came by, the
        administrator, or any manager of the company.

        :rtype: res.users
        """
        self.ensure_one()
        managers = self.env.ref(MANAGER).all_user_ids
        candidates = (
            self.message_id.provider_id.user_id
            | self.env.ref("base.user_admin")
            | managers.sorted("id")
        )
        return candidates.filtered(
            lambda user: (
                user.active
                and user._is_internal()
                and user.has_group(USER)
                and self.company_id in user.company_ids
            )
        )[:1]

    # === ACTION METHODS ===#

    def action_record_objection(self):
        """Ask on which channel and about what they object.

        :return: a window action
        :rtype: dict
        """
        self.ensure_one()
        self._check_manager()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Record Objection"),
            "res_model": "marketing.record.objection",
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_reply_id": self.id,
                "default_channel": self.channel,
            },
        }

    def action_handle(self):
        """Mark these as read: there is nothing to record."""
        self._check_manager()
        self._close()

    def action_reopen(self):
        """Put these back among the new ones."""
        self._check_manager()
        self.sudo().write({"state": "new", "handled_by_id": False, "handled_at": False})

    def action_open_message(self):
        """Open the message they answered.

        :return: a window action
        :rtype: dict
        """
        self.ensure_one()
        return self.message_id._get_records_action()

    def action_open_contact(self):
        """Open the contact of who answered.

        :return: a window action
        :rtype: dict
        """
        self.ensure_one()
        return self.partner_id._get_records_action()

    def _close(self, **vals):
        """Mark these as handled by the user.

        :param vals: further values to write
        """
        replies = self.sudo()
        replies.write(
            {
                "state": "handled",
                "handled_by_id": self.env.user.id,
                "handled_at": fields.Datetime.now(),
                **vals,
            }
        )

    def _check_manager(self):
        """Users read replies, managers act on them.

        :raise AccessError: the user is none, or may not see these
        """
        self.check_access("read")
        if not (self.env.su or self.env.user.has_group(MANAGER)):
            raise AccessError(
                self.env._("Only marketing managers decide what becomes of a reply.")
            )

    # === BEFORE THERE WERE REPLIES ===#

    @api.model
    def _adopt(self, days):
        """Take over the answers of the last days that nobody could see so far.

        :param int days: how many
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """SELECT m.company_id, m.id, m.partner_id, m.channel,
                          CASE m.channel WHEN 'sms' THEN m.phone_sanitized
                                         ELSE m.email_normalized END,
                          e.occurred_at, e.detail, e.external_id
                     FROM marketing_engagement e
                     JOIN marketing_message m ON m.id = e.message_id
                    WHERE e.kind = 'reply' AND e.detail IS NOT NULL
                      AND e.occurred_at >= %s AND m.forgotten_at IS NULL""",
                fields.Datetime.subtract(fields.Datetime.now(), days=days),
            )
        )
        for start in range(0, len(rows), 1000):
            self.env.cr.execute_values(
                """INSERT INTO marketing_reply (
                          create_date, write_date, company_id, message_id, partner_id,
                          channel, address, received_at, text, kind, state, external_id)
                   VALUES %s ON CONFLICT DO NOTHING""",
                [
                    (
                        *(row[5], row[5]),
                        *row[:6],
                        mask_tokens(row[6]),
                        "objection" if may_be_objection(row[6]) else "other",
                        "new",
                        row[7] or f"{row[4]}:{row[5]}",
                    )
                    for row in rows[start : start + 1000]
                    if row[4]
                ],
            )
        self.env.invalidate_all(flush=False)
