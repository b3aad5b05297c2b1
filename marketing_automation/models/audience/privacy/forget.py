"""Forgetting: what becomes of everything that is stored about a person."""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ....tools.trusted_context import without_defaults
from .registry import ANONYMIZE, DELETE


class MarketingPrivacy(models.AbstractModel):
    _inherit = "marketing.privacy"

    @api.model
    def _forget(self, person):
        """Erase what is stored about a person, or make it nobody's.

        They are never written to again: a digest of each address stays, and the proof
        of what they agreed to before. Done again, it does nothing more.

        :param Person person: see :meth:`_find_person`
        :return: what was erased, number of rows by model
        :rtype: dict[str, int]
        :raise AccessError: the user is no marketing manager
        :raise UserError: a company they do not work for has something stored, too; or a
            message is just being handed over
        """
        self._check_may(person)
        privacy = self.sudo()
        privacy._stop_everything(person)
        is_new = privacy._suppress_for_good(person)
        name = privacy._get_name(person)
        erased = privacy._erase_outside(person)
        erased |= privacy._erase_rows(person)
        self.env.invalidate_all(flush=False)
        if erased or is_new:
            privacy._write_log(person, name, erased)
        return erased

    @api.model
    def _stop_everything(self, person):
        """End what is running for a person, before anything of it is erased.

        :raise UserError: a message is with a provider at this moment
        """
        messages = self.env["marketing.message"].browse(person.message_ids)
        runs = self.env["marketing.enrollment"].search(
            [
                ("state", "in", ("active", "paused")),
                "|",
                "|",
                ("email_normalized", "in", person.emails),
                ("abandoned_cart_id", "in", person.cart_ids),
                ("contact_id", "in", person.partner_ids),
            ]
        )
        runs._stop("opted_out")
        messages.filtered(lambda message: message.state == "queued")._set_state(
            "cancelled", "opted_out"
        )
        if any(message.state == "sending" for message in messages):
            raise UserError(
                self.env._(
                    "A message to this person is being handed over at this moment. "
                    "Nothing was changed; try again in a few minutes."
                )
            )

    @api.model
    def _suppress_for_good(self, person):
        """Keep the digests, and the proof that they asked to be forgotten.

        :return: whether there was any address that was not suppressed yet
        :rtype: bool
        """
        is_new = False
        suppressions = self.env["marketing.suppression"]
        log = self.env["marketing.consent.log"]
        for channel, addresses in (("email", person.emails), ("sms", person.numbers)):
            new = sorted(set(addresses) - suppressions._find_addresses(addresses))
            suppressions._add(new)
            log._append(channel, new, "all", "forget")
            is_new = is_new or bool(new)
        return is_new

    @api.model
    def _get_name(self, person):
        """Return what the person was called, '' if nobody knows.

        :rtype: str
        """
        contacts = self.env["res.partner"].browse(person.partner_ids)
        carts = self.env["abandoned.cart"].browse(person.cart_ids)
        names = [*contacts.mapped("name"), *carts.mapped("customer_name")]
        return next(filter(None, names), "")

    @api.model
    def _write_log(self, person, name, erased):
        """Note in Odoo's privacy log that somebody was forgotten: when, by whom and how
        many rows. Of name and address it keeps the first letters."""
        email = next((email for email in person.emails if email.count("@") == 1), "@")
        counts = self._name_counts(erased)
        without_defaults(self.env["privacy.log"]).create(
            {
                "anonymized_name": name,
                "anonymized_email": email,
                "user_id": self.env.uid,
                "execution_details": self.env._("Forgotten in Marketing Automation"),
                "records_description": "\n".join(
                    f"{label} ({count})" for label, count in counts
                ),
            }
        )

    @api.model
    def _erase_rows(self, person):
        """Do with everything in our own tables what is done with it at forget.

        :param Person person: somebody, or just messages and carts of many
        :return: number of rows by model
        :rtype: dict[str, int]
        """
        self._cut_links(person)
        counts = {
            stored.model: self._erase_stored(stored, stored.find(person))
            for stored in self._get_stored()
        }
        return {model: count for model, count in counts.items() if count}

    @api.model
    def _cut_links(self, person):
        """Replace the links from orders to messages by sums, and delete those to carts:
        an order says whose it is."""
        orders = self.env["sale.order"].search(
            [("attributed_message_id", "in", person.message_ids)]
        )
        for message in orders.attributed_message_id:
            message.kept_revenue += message.attributed_revenue
            message.kept_margin += message.attributed_margin
        orders.attributed_message_id = False
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """DELETE FROM sale_order_restored_cart_rel
                    WHERE abandoned_cart_id = ANY(%s)""",
                list(person.cart_ids),
            )
        )

    @api.model
    def _erase_stored(self, stored, condition):
        """Do with rows of a table what is done with them at forget.

        :param Stored stored: line of the registry
        :param SQL condition: which rows ``t``
        :return: number of rows
        :rtype: int
        """
        table = SQL.identifier(self.env[stored.model]._table)
        if stored.at_forget == DELETE:
            self.env.cr.execute(SQL("DELETE FROM %s t WHERE %s", table, condition))
        elif stored.at_forget == ANONYMIZE:
            cleared = dict(stored.cleared)
            if "forgotten_at" in self.env[stored.model]._fields:
                cleared["forgotten_at"] = SQL("%s", fields.Datetime.now())
            self._clear(table, cleared, condition)
        else:
            return 0
        return self.env.cr.rowcount

    @api.model
    def _clear(self, table, cleared, condition):
        self.env.cr.execute(
            SQL(
                "UPDATE %s t SET %s WHERE %s",
                table,
                SQL(", ").join(
                    SQL("%s = %s", SQL.identifier(name), value)
                    for name, value in cleared.items()
                ),
                condition,
            )
        )


class AbandonedCart(models.Model):
    _inherit = "abandoned.cart"

    forgotten_at = fields.Datetime(
        string="Personal Data Erased",
        readonly=True,
        help="From then on nothing says whose cart it was.",
    )

    _kept_idx = models.Index(
        "(company_id, expires_at) WHERE forgotten_at IS NULL "
        "AND state IN ('recovered', 'expired', 'excluded')"
    )


class MarketingMessage(models.Model):
    _inherit = "marketing.message"

    forgotten_at = fields.Datetime(
        string="Personal Data Erased",
        readonly=True,
        help="From then on nothing says to whom it was.",
    )
    kept_revenue = fields.Monetary(
        readonly=True,
        help="Of orders by people who were forgotten: nothing leads to them any more.",
    )
    kept_margin = fields.Monetary(readonly=True, help="The same for their margin.")

    # Messages that wait are not in it: a million of them are queued at once.
    _kept_idx = models.Index(
        "(company_id, COALESCE(sending_at, create_date)) WHERE forgotten_at IS NULL "
        "AND state NOT IN ('queued', 'sending')"
    )

    @api.depends("kept_revenue", "kept_margin")
    def _compute_attributed_revenue(self):
        res = super()._compute_attributed_revenue()
        for message in self:
            message.attributed_revenue += message.kept_revenue
            message.attributed_margin += message.kept_margin
        return res


class MarketingSequence(models.Model):
    _inherit = "marketing.sequence"

    def _compute_results(self):
        """What was earned stays earned when a customer is forgotten."""
        res = super()._compute_results()
        kept = dict(
            self.env["marketing.message"]._read_group(
                [
                    ("sequence_id", "in", self.ids),
                    ("kept_revenue", "!=", 0),
                    ("company_id", "in", self.env.companies.ids),
                ],
                ["sequence_id"],
                ["kept_revenue:sum"],
            )
        )
        for sequence in self:
            sequence.recovered_revenue += kept.get(sequence, 0)
        return res


class MarketingEngagement(models.Model):
    _inherit = "marketing.engagement"

    _kept_idx = models.Index(
        "(occurred_at) WHERE user_agent IS NOT NULL OR detail IS NOT NULL"
    )
