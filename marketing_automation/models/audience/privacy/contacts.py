"""Contacts: those that are there only because somebody left a cart go with it; all
others belong to Odoo's business documents and stay."""

from psycopg2 import IntegrityError

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL, mute_logger

from ...cart.payments import LIVE_PAYMENT
from .outside import BUSINESS_ORDER

# Tables that mention contacts without making them business partners.
INCIDENTAL = {
    *("res_partner_res_partner_category_rel", "sale_order_line", "website_visitor"),
    *("product_wishlist", "sms_sms", "abandoned_cart"),
}
INCIDENTAL_PREFIXES = ("mail_", "discuss_", "marketing_", "segment_")
# Tables of which not every row does: its name in the condition, and the condition.
CONDITIONS = {
    "sale_order": ("o", BUSINESS_ORDER),
    "payment_transaction": ("tx", LIVE_PAYMENT),
    "loyalty_card": (
        "card",
        SQL(
            """card.program_id IN (
                   SELECT p.id FROM loyalty_program p
                    WHERE p.program_type IN ('gift_card', 'ewallet', 'loyalty'))"""
        ),
    ),
}
# What may stay of a contact that a cancelled order needs.
KEPT_FIELDS = {"lang", "tz", "type", "properties"}
NOBODY = "–"


class MarketingPrivacy(models.AbstractModel):
    _inherit = "marketing.privacy"

    @api.model
    def _find_shoppers(self, person):
        """Return the contacts of a person that are there only because of a cart: they
        came from the shop, and nothing in Odoo is a document about them.

        :param Person person: see :meth:`_find_person`
        :rtype: res.partner
        """
        contacts = self.env["res.partner"].browse(person.partner_ids)
        stay = self.env["res.partner"].browse(
            {contact_id for contact_id, _table in self._find_uses(person)}
        )
        stay |= contacts - self._find_shop_contacts(person)
        # Addresses of one family stay or go together.
        families = stay.commercial_partner_id
        return contacts.filtered(
            lambda contact: contact.commercial_partner_id not in families
        )

    @api.model
    def _find_shop_contacts(self, person):
        """Return the contacts, with their further addresses, that have had a cart."""
        ids = self._fetch_column(
            SQL(
                """SELECT p.id FROM res_partner p
                    WHERE p.id = ANY(%(ids)s) AND (
                          EXISTS (SELECT FROM abandoned_cart c
                                   WHERE c.partner_id IN (p.id, p.parent_id))
                          OR EXISTS (SELECT FROM sale_order o
                                      WHERE o.website_id IS NOT NULL
                                        AND o.partner_id IN (p.id, p.parent_id)))""",
                ids=list(person.partner_ids),
            )
        )
        return self.env["res.partner"].browse(ids)

    @api.model
    def _find_uses(self, person):
        """Say where in Odoo the contacts of a person are needed.

        Every foreign key counts, also of modules we do not know, but for tables that
        mention contacts in passing.

        :param Person person: see :meth:`_find_person`
        :return: pairs of contact and table
        :rtype: list[tuple[int, str]]
        """
        ids = list(person.partner_ids)
        queries = [
            self._make_use_query(table, column, ids)
            for table, column in self._get_links_to_contacts()
        ]
        # Somebody's employees are theirs.
        queries.append(
            SQL(
                """SELECT p.id, 'res_partner' FROM res_partner p
                    WHERE p.id = ANY(%(ids)s) AND NOT (p.parent_id = ANY(%(ids)s))""",
                ids=ids,
            )
        )
        return self.env.execute_query(SQL(" UNION ").join(queries))

    @api.model
    def _make_use_query(self, table, column, ids):
        alias, condition = CONDITIONS.get(table, ("t", SQL("TRUE")))
        if table == "res_partner":
            condition = SQL("NOT t.id = ANY(%s)", ids)
        return SQL(
            "SELECT %(column)s, %(table)s FROM %(source)s %(alias)s"
            " WHERE %(column)s = ANY(%(ids)s) AND %(condition)s",
            column=SQL.identifier(alias, column),
            table=table,
            source=SQL.identifier(table),
            alias=SQL.identifier(alias),
            ids=ids,
            condition=condition,
        )

    @api.model
    def _get_links_to_contacts(self):
        """Return the foreign keys to contacts that say that somebody needs them.

        :return: pairs of table and column
        :rtype: list[tuple[str, str]]
        """
        rows = self.env.execute_query(
            SQL(
                """SELECT source.relname, attribute.attname
                     FROM pg_constraint link
                     JOIN pg_class source ON source.oid = link.conrelid
                     JOIN pg_attribute attribute
                       ON attribute.attrelid = link.conrelid
                      AND attribute.attnum = link.conkey[1]
                    WHERE link.contype = 'f'
                      AND link.confrelid = 'res_partner'::regclass
                    ORDER BY 1, 2"""
            )
        )
        passing = {model._table for model in self.env.values() if model._transient}
        passing |= INCIDENTAL
        return [
            (table, column)
            for table, column in rows
            if table not in passing and not table.startswith(INCIDENTAL_PREFIXES)
        ]

    @api.model
    def _describe_uses(self, person):
        """Say in words why contacts stay.

        :param Person person: see :meth:`_find_person`
        :return: names of what they are needed for
        :rtype: list[str]
        """
        models_by_table = {
            model._table: name
            for name, model in self.env.items()
            if model._auto and not model._abstract
        }
        names = {
            self.env["ir.model"]._get(models_by_table[table]).name
            if table in models_by_table
            else table
            for _contact_id, table in self._find_uses(person)
        }
        return sorted(names)

    # === ERASE ===#

    @api.model
    def _erase_contacts(self, contacts):
        """Delete contacts that nobody needs; where a cancelled order still leads to
        one, nothing stays of it but its id.

        :param res.partner contacts: see :meth:`_find_shoppers`
        :return: how many
        :rtype: int
        """
        quiet = self._get_quiet("res.partner").browse(contacts.ids)
        try:
            with self.env.cr.savepoint(), mute_logger("odoo.sql_db"):
                quiet.unlink()
        except (IntegrityError, UserError):
            self.env.invalidate_all(flush=False)
            self._empty_contacts(quiet)
            self._empty_carts(quiet)
        return len(contacts)

    @api.model
    def _empty_contacts(self, contacts):
        # From the innermost: who has a parent takes over its address.
        blank = {
            name: False
            for name, field in contacts._fields.items()
            if field.store
            and field.type in ("char", "text", "html", "binary", "many2many")
            and not (field.compute and field.readonly)
            and not field.related
            and name not in KEPT_FIELDS
        }
        for contact in contacts:
            contact.write({**blank, "name": NOBODY, "active": False})
        self.env.flush_all()
        self.env["mail.message"].sudo().search(
            [("model", "=", "res.partner"), ("res_id", "in", contacts.ids)]
        ).unlink()
        self.env.cr.execute(
            SQL(
                """UPDATE payment_transaction
                      SET partner_name = NULL, partner_email = NULL,
                          partner_phone = NULL, partner_address = NULL,
                          partner_zip = NULL, partner_city = NULL
                    WHERE partner_id = ANY(%s)""",
                contacts.ids,
            )
        )

    @api.model
    def _empty_carts(self, contacts):
        """Take the person's own words out of their cancelled carts."""
        carts = self._get_quiet("sale.order").search(
            [("partner_id", "in", contacts.ids)]
        )
        carts.message_ids.unlink()
        carts.write(
            dict.fromkeys(
                ("client_order_ref", "note", "signed_by", "signature", "access_token"),
                False,
            )
        )
