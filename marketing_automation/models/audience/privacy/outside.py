"""What Odoo's own tables hold of a person because of the shop and of marketing: carts
that were never ordered, mailing lists, blacklists, visits, emails, look-ups."""

from odoo import api, fields, models
from odoo.tools import SQL

from ....tools.trusted_context import say
from ...cart.payments import LIVE_PAYMENT
from ...cart.sale_order import SKIP_ACTIVITY

# Orders that are business documents. A cart of the shop is none until it is ordered;
# what was merged into another cart was cancelled without ever being one.
BUSINESS_ORDER = SQL(
    """(o.state IN ('sent', 'sale') OR o.website_id IS NULL
        OR EXISTS (SELECT FROM sale_order_line l
                     JOIN sale_order_line_invoice_rel rel ON rel.order_line_id = l.id
                    WHERE l.order_id = o.id)
        OR EXISTS (SELECT FROM sale_order_transaction_rel rel
                     JOIN payment_transaction tx ON tx.id = rel.transaction_id
                    WHERE rel.sale_order_id = o.id AND %s)
        OR o.state = 'cancel' AND EXISTS (
            SELECT FROM mail_message said
              JOIN ir_model_data confirmed
                ON confirmed.model = 'mail.message.subtype'
               AND confirmed.res_id = said.subtype_id
             WHERE said.model = 'sale.order' AND said.res_id = o.id
               AND confirmed.module = 'sale'
               AND confirmed.name = 'mt_order_confirmed'))""",
    LIVE_PAYMENT,
)
# Models whose emails and notes are about marketing alone.
MARKETING_CHATTER = ["mail.blacklist", "phone.blacklist", "mailing.contact"]


class MarketingPrivacy(models.AbstractModel):
    _inherit = "marketing.privacy"

    @api.model
    def _erase_outside(self, person):
        """Erase what Odoo's own tables hold of a person's shopping and of marketing.

        :param Person person: see :meth:`_find_person`
        :return: number of rows by model
        :rtype: dict[str, int]
        """
        contacts = self._find_shoppers(person)
        found = self._find_outside(person)
        erased = {model: len(ids) for model, ids in found.items() if ids}
        for model, ids in found.items():
            self._get_quiet(model).browse(ids).unlink()
        self._erase_typed(person)
        if contacts:
            erased["res.partner"] = self._erase_contacts(contacts)
        self._erase_look_ups(person)
        return erased

    @api.model
    def _erase_typed(self, person):
        """Forget what was typed into orders that stay; no quotation is followed up."""
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """UPDATE sale_order
                      SET typed_email = NULL, typed_email_normalized = NULL,
                          typed_phone = NULL, contact_client = NULL
                    WHERE typed_email_normalized = ANY(%s) OR typed_phone = ANY(%s)""",
                list(person.emails),
                list(person.numbers),
            )
        )
        self.env.cr.execute(
            SQL(
                """UPDATE sale_order SET cart_activity_at = NULL
                    WHERE state = 'sent' AND website_id IS NULL
                      AND partner_id = ANY(%s)""",
                list(person.partner_ids),
            )
        )
        self.env["sale.order"].invalidate_model()

    @api.model
    def _get_quiet(self, model):
        """Return a model on which nothing is written down about what happens to it."""
        context = {"tracking_disable": True, "mail_notrack": True, SKIP_ACTIVITY: say()}
        return self.env[model].sudo().with_context(active_test=False, **context)

    @api.model
    def _find_outside(self, person):
        """Return the ids of what is deleted from Odoo's own tables.

        :param Person person: see :meth:`_find_person`
        :return: ids by model, in the order in which they are to be deleted
        :rtype: dict[str, list[int]]
        """
        traces = self._find_traces(person)
        emails = [("email", "in", person.emails)]
        normalized = [("email_normalized", "in", person.emails)]
        visitors = [("partner_id", "in", person.partner_ids)]
        found = {
            "link.tracker.click": [("mailing_trace_id", "in", traces)],
            "mailing.trace": [("id", "in", traces)],
            "mailing.contact": normalized,
            "mail.blacklist": emails,
            "phone.blacklist": [("number", "in", person.numbers)],
            "website.visitor": visitors,
            "sms.sms": [("number", "in", person.numbers)],
            "mail.message": [("id", "in", self._find_emails(person))],
            "sale.order": [("id", "in", self._find_dead_carts(person))],
        }
        return {
            model: self._get_quiet(model).search(domain).ids
            for model, domain in found.items()
            if model in self.env
        }

    @api.model
    def _find_traces(self, person):
        """Return the ids of what Email Marketing knows of messages to a person."""
        by_number = SQL()
        if "sms_number" in self.env["mailing.trace"]._fields:
            by_number = SQL(" OR t.sms_number = ANY(%s)", list(person.numbers))
        return self._fetch_column(
            SQL(
                "SELECT t.id FROM mailing_trace t WHERE t.email = ANY(%s)%s",
                list(person.emails),
                by_number,
            )
        )

    @api.model
    def _find_dead_carts(self, person):
        """Return the ids of carts of the shop that were never ordered; those that
        were cancelled stay, as somebody without a name."""
        return self._fetch_column(
            SQL(
                """SELECT o.id FROM sale_order o
                    WHERE o.state = 'draft' AND NOT %s
                      AND (o.partner_id = ANY(%s)
                           OR o.typed_email_normalized = ANY(%s)
                           OR o.id IN (
                           SELECT c.order_id FROM abandoned_cart c
                            WHERE c.id = ANY(%s)))""",
                BUSINESS_ORDER,
                list(person.partner_ids),
                list(person.emails),
                list(person.cart_ids),
            )
        )

    @api.model
    def _find_emails(self, person):
        """Return the ids of emails from and to a person that belong to no document of
        Odoo's, or to one about marketing.

        Nothing says to which company such an email was: they are left to those who
        work in all of them.
        """
        if not self._works_everywhere():
            return []
        return self._fetch_column(
            SQL(
                """SELECT DISTINCT m.id
                     FROM mail_message m
                     LEFT JOIN mail_mail mail ON mail.mail_message_id = m.id
                    WHERE (m.model IS NULL OR m.model = ANY(%s))
                      AND concat_ws(' ', m.email_from, m.incoming_email_to,
                              m.incoming_email_cc, m.outgoing_email_to, m.reply_to,
                              mail.email_to, mail.email_cc) ILIKE ANY(%s)""",
                MARKETING_CHATTER,
                [f"%{_escape_like(email)}%" for email in person.emails],
            )
        )

    @api.model
    def _erase_look_ups(self, person):
        """Delete what Odoo's privacy look-up found of a person: it would stay for a
        day, with names."""
        wizards = self.env["privacy.lookup.wizard"].sudo()
        wizards = wizards.search(
            fields.Domain.OR(
                fields.Domain("email", "=ilike", _escape_like(email))
                for email in person.emails
            )
        )
        wizards.line_ids.unlink()
        wizards.unlink()


def _escape_like(text):
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
