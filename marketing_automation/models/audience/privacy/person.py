"""Who somebody is: everything we know a person by."""

from odoo import SUPERUSER_ID, api, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ...mailbox import normalize_address
from .registry import STORED, Person

GROUP = "marketing_automation.group_marketing_manager"


class MarketingPrivacy(models.AbstractModel):
    """Answers to people who ask what is stored about them, or ask to be forgotten
    (GDPR, articles 15, 17 and 20)."""

    _name = "marketing.privacy"
    _description = "Marketing Privacy"

    # === WHO ===#

    @api.model
    def _find_by_address(self, address):
        """Find a person by an email address or a telephone number.

        :param str address: as somebody types it
        :rtype: Person
        :raise UserError: it is neither, or several people use the number
        """
        if email := normalize_address(address):
            return self._find_person(emails=[email])
        number = self.env.user._phone_format(
            number=(address or "").strip(), country=self.env.company.country_id
        )
        if not number:
            raise UserError(
                self.env._(
                    "%s is neither an email address nor a telephone number. Enter "
                    "numbers with their country code, such as +32 456 00 11 22.",
                    address,
                )
            )
        owners = self._get_contacts([("phone_sanitized", "=", number)])
        emails = set(filter(None, owners.mapped("email_normalized")))
        if len(emails) > 1:
            raise UserError(
                self.env._(
                    "Several people use this number. Enter the email address of the "
                    "one who asks, or start from their contact."
                )
            )
        return self._find_person(emails, [number], owners)

    @api.model
    def _find_by_contacts(self, partners):
        """Find the person behind contacts.

        :param res.partner partners: some of their contacts
        :rtype: Person
        :raise UserError: it is the contact of every visitor of a shop
        """
        if partners & self._get_nobody():
            raise UserError(
                self.env._("This contact stands for all visitors of your shop.")
            )
        emails = set(filter(None, partners.sudo().mapped("email_normalized")))
        return self._find_person(emails, partners=partners.sudo())

    @api.model
    def _find_person(self, emails=(), numbers=(), partners=None):
        """Find all contacts, former addresses and numbers of a person.

        Each checkout of a guest makes a contact: the same address is the same person.

        :param emails: normalized
        :param numbers: in E.164
        :param res.partner partners: some of their contacts
        :rtype: Person
        """
        self.env.flush_all()
        emails = sorted(emails)
        partners = partners or self.env["res.partner"]
        if emails:
            partners |= self._get_contacts([("email_normalized", "in", emails)])
        # Their further postal addresses.
        partners |= self._get_contacts(
            [
                ("parent_id", "in", partners.ids),
                ("is_company", "=", False),
                ("email_normalized", "in", [*emails, False]),
            ]
        )
        emails = sorted({*emails, *self._find_former_emails(partners)})
        numbers = {*numbers, *filter(None, partners.mapped("phone_sanitized"))}
        numbers |= set(self._find_former_numbers(emails))
        person = Person(tuple(emails), tuple(sorted(numbers)), tuple(partners.ids))
        return person._replace(
            digests=(
                *self.env["marketing.suppression"]._hash(person.addresses),
                *self.env["marketing.suppression"]._hash_former(person.addresses),
            ),
            message_ids=self._find_ids(
                "marketing_message", person, SQL("t.phone_sanitized")
            ),
            cart_ids=self._find_ids("abandoned_cart", person, SQL("t.phone_sanitized")),
        )

    @api.model
    def _get_contacts(self, domain):
        partners = self.env["res.partner"].sudo().with_context(active_test=False)
        return partners.search(domain) - self._get_nobody()

    @api.model
    def _get_nobody(self):
        """Return the contacts that stand for all strangers of a shop.

        :rtype: res.partner
        """
        websites = self.env["website"].sudo()
        return websites.search([("user_id", "!=", False)]).user_id.partner_id

    @api.model
    def _find_former_emails(self, partners):
        """Return addresses these contacts were written to, unless somebody else has
        them: whoever is logged in and follows another's link takes over their cart."""
        return self._fetch_column(
            SQL(
                """SELECT known.email_normalized
                     FROM (SELECT email_normalized FROM marketing_message
                            WHERE partner_id = ANY(%(ids)s)
                            UNION
                           SELECT email_normalized FROM abandoned_cart
                            WHERE partner_id = ANY(%(ids)s)) known
                    WHERE known.email_normalized IS NOT NULL
                      AND NOT EXISTS (
                          SELECT FROM res_partner other
                           WHERE other.email_normalized = known.email_normalized)""",
                ids=partners.ids,
            )
        )

    @api.model
    def _find_former_numbers(self, emails):
        return self._fetch_column(
            SQL(
                """SELECT phone_sanitized FROM marketing_message
                    WHERE email_normalized = ANY(%(emails)s)
                      AND phone_sanitized IS NOT NULL
                    UNION
                   SELECT phone_sanitized FROM abandoned_cart
                    WHERE email_normalized = ANY(%(emails)s)
                      AND phone_sanitized IS NOT NULL""",
                emails=emails,
            )
        )

    @api.model
    def _find_ids(self, table, person, phone):
        """Return the ids of a person's rows: by their address, and where there is none
        by their number or contact.

        :rtype: tuple[int, ...]
        """
        return tuple(
            self._fetch_column(
                SQL(
                    """SELECT t.id FROM %(table)s t
                        WHERE t.email_normalized = ANY(%(emails)s)
                           OR t.email_normalized IS NULL
                              AND (t.partner_id = ANY(%(partners)s)
                                   OR %(phone)s = ANY(%(numbers)s))""",
                    table=SQL.identifier(table),
                    emails=list(person.emails),
                    partners=list(person.partner_ids),
                    phone=phone,
                    numbers=list(person.numbers),
                )
            )
        )

    @api.model
    def _fetch_column(self, query):
        return [value for (value,) in self.env.execute_query(query)]

    # === WHAT ===#

    @api.model
    def _get_stored(self):
        """Return the lines of the registry whose tables are there.

        :rtype: list[Stored]
        """
        return [stored for stored in STORED if stored.model in self.env]

    @api.model
    def _count_stored(self, person):
        """Count what is stored about a person.

        :param Person person: see :meth:`_find_person`
        :return: number of rows by model, those without any left out
        :rtype: dict[str, int]
        """
        self.env.flush_all()
        counts = {}
        for stored in self._get_stored():
            [(count,)] = self.env.execute_query(
                SQL(
                    "SELECT count(*) FROM %s t WHERE %s",
                    SQL.identifier(self.env[stored.model]._table),
                    stored.find(person),
                )
            )
            if count:
                counts[stored.model] = count
        return counts

    # === MAY ===#

    @api.model
    def _check_may(self, person):
        """Refuse whoever may not answer this person.

        :param Person person: see :meth:`_find_person`
        :raise AccessError: they are no marketing manager
        :raise UserError: a company they do not work for has something stored, too
        """
        if not self.env.user.has_group(GROUP):
            raise AccessError(
                self.env._("Only managers of marketing answer privacy requests.")
            )
        if self.env.su:
            return
        own = self.env.user.company_ids
        contacts = self.env["res.partner"].browse(person.partner_ids)
        contacts = contacts.with_context(allowed_company_ids=own.ids)
        if not contacts.has_access("read"):
            raise AccessError(
                self.env._(
                    "You may not read all contacts of this person. Somebody who may "
                    "has to do this."
                )
            )
        if self._find_companies(person) - own:
            raise UserError(
                self.env._(
                    "Another company in this database has something stored about this "
                    "person, too. Somebody who works for all of them has to do this."
                )
            )

    @api.model
    def _works_everywhere(self):
        """Whether the user works in all companies there are.

        :rtype: bool
        """
        # All of them are meant; they are few.
        companies = self.env["res.company"].sudo().search([])  # pylint: disable=no-search-all
        return self.env.uid == SUPERUSER_ID or not companies - self.env.user.company_ids

    @api.model
    def _find_companies(self, person):
        """Return the companies that have something stored about a person: in our own
        tables, as a contact or order of theirs, or as a visitor of their shop.

        :rtype: res.company
        """
        queries = [
            SQL(
                "SELECT %s FROM %s t WHERE %s",
                stored.company,
                SQL.identifier(self.env[stored.model]._table),
                stored.find(person),
            )
            for stored in self._get_stored()
            if stored.company
        ]
        known = {
            "partners": list(person.partner_ids),
            "emails": list(person.emails),
            "numbers": list(person.numbers),
        }
        queries += [
            SQL(query, **known)
            for query in (
                "SELECT company_id FROM res_partner WHERE id = ANY(%(partners)s)",
                """SELECT company_id FROM sale_order
                    WHERE partner_id = ANY(%(partners)s)
                       OR typed_email_normalized = ANY(%(emails)s)
                       OR typed_phone = ANY(%(numbers)s)""",
                """SELECT website.company_id FROM website_visitor visitor
                     JOIN website ON website.id = visitor.website_id
                    WHERE visitor.partner_id = ANY(%(partners)s)""",
            )
        ]
        self.env.flush_all()
        ids = self._fetch_column(SQL(" UNION ").join(queries))
        return self.env["res.company"].sudo().browse(filter(None, ids))
