from datetime import timedelta
from itertools import count

from odoo import SUPERUSER_ID, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, mute_logger

from ...tools.segment_criteria import HIGHEST_SCORE, RFM_SCORES, read_domain
from .segment_behaviour import Scope, Target, contacts_who, hosts_of


class CustomerSegment(models.Model):
    """What a segment means, as one query of ids of contacts."""

    _inherit = "customer.segment"

    def _get_partner_query(self, among=None, reader=None):
        """Return the query of the contacts that the segment is to have.

        Works on records that are not saved, too. What it reads is to be flushed before
        it runs. The same contacts are found whoever refreshes it: those of the
        segment's company and those that belong to no company. Conditions that look
        further than at contacts have the rights of their writers, see
        ``segment_rights.py``.

        :param SQL among: query of ids of contacts; only these are looked at. It has
            to have all contacts of a person (the same email address), or none
        :param res.users reader: finds only what this user may see, whoever wrote it
        :return: a query with one column, each contact once
        :rtype: SQL
        :raises UserError: when a condition cannot be evaluated, with what to do
        """
        self.ensure_one()
        if self.kind == "static":
            return self._get_own_member_query(among, reader)
        conditions = self.condition_ids
        if not conditions:
            return SQL("SELECT id FROM res_partner WHERE FALSE")
        domain = self._get_company_domain() & conditions._get_joint_domain(
            self.logic, among, reader
        )
        query = self._get_contacts(reader)._search(domain)
        if among:
            query.add_where(SQL("res_partner.id IN (%s)", among))
        return query.select()

    def _get_own_member_query(self, among=None, reader=None):
        """Return the query of the members, see :meth:`_get_partner_query`.

        :rtype: SQL
        """
        query = self._get_member_query()
        if reader:
            contacts = self._get_contacts(reader).with_context(active_test=False)
            query = SQL(
                "%s AND partner_id IN (%s)", query, contacts._search([]).select()
            )
        return SQL("%s AND partner_id IN (%s)", query, among) if among else query

    def _get_member_query(self):
        """Return the query of the contacts that the segments have now.

        :return: a query with one column, each contact once for each segment
        :rtype: SQL
        """
        return SQL(
            "SELECT partner_id FROM segment_membership WHERE segment_id = ANY(%s)",
            self._origin.ids,
        )

    def _get_contacts(self, reader=None):
        """Return ``res.partner`` to search in: in the segment's company and the time
        zone it works in, whoever asks.

        :param res.users reader: with whose rights; none for all contacts
        """
        company = self.company_id._origin or self.env.company
        return (
            self.env["res.partner"]
            .with_user(reader or SUPERUSER_ID)
            .with_context(
                active_test=True,
                allowed_company_ids=company.ids,
                tz=company.sudo().partner_id.tz or "UTC",
                lang=None,
            )
            .with_company(company)
        )

    def _get_company_domain(self):
        """Return the domain of the contacts that the company may know; the one that
        everybody who is not signed in orders as is nobody."""
        company = self.company_id._origin or self.env.company
        websites = self.env["website"].sudo().search([("user_id", "!=", False)])
        nobody = websites.user_id.with_context(active_test=False).partner_id
        return Domain(self.env["res.partner"]._check_company_domain(company)) & Domain(
            "id", "not in", nobody.ids
        )


class CustomerSegmentCondition(models.Model):
    """What conditions mean: domains over contacts, with SQL where Odoo knows none."""

    _inherit = "customer.segment.condition"

    def _get_joint_domain(self, logic, among=None, reader=None, names=None):
        """Return these conditions as one domain.

        :param str logic: ``AND`` or ``OR``
        :param SQL among: see :meth:`customer.segment._get_partner_query`
        :param res.users reader: see :meth:`customer.segment._get_partner_query`
        :param names: numbers for the names of joined queries
        :rtype: odoo.fields.Domain
        :raises UserError: when one of them cannot be evaluated
        """
        names = names or count(1)
        domains = [
            getattr(condition, f"_get_{condition.kind}_domain")(among, reader, names)
            for condition in self.sorted("sequence")
            if not condition._check_complete()
        ]
        return Domain.AND(domains) if logic == "AND" else Domain.OR(domains)

    def _get_segment(self):
        """Return the segment of a condition, however deep the condition stands; also
        where neither is saved.

        :rtype: customer.segment
        """
        condition = self
        while condition.parent_id:
            condition = condition.parent_id
        return condition.segment_id or condition.owner_id

    def _get_company(self):
        """Return the company of a condition's segment.

        :rtype: res.company
        """
        return self._get_segment().company_id._origin or self.env.company

    # === COMPLETENESS ===#

    def _check_complete(self):
        """Refuse a condition that says too little: it would mean more people than were
        meant.

        :raises ValidationError: with what is to be chosen
        """
        self.ensure_one()
        check = getattr(self, f"_find_gap_in_{self.kind}", None)
        problem = check and check()
        if problem:
            raise ValidationError(problem)

    def _find_gap_in_behaviour(self):
        if self.comparison == "at_least" and self.times < 1:
            return self.env._(
                "“At least 0 times” is everybody. Choose at least once, or “at most 0 "
                "times” for those who did not at all."
            )
        if self.target == "product" and not self.product_tmpl_id:
            return self.env._(
                "A condition is about a product that is not chosen or was deleted. "
                "Choose a product, or remove the condition."
            )
        if self.target == "category" and not self.category_id:
            return self.env._(
                "A condition is about a category that is not chosen or was deleted. "
                "Choose a category, or remove the condition."
            )
        if self.behaviour == "opened" and self.target != "anything":
            return self.env._(
                "Messages are opened, not products. Choose “anything” for what was "
                "opened, or “clicked” for links to a product or category."
            )
        return None

    def _find_gap_in_rfm(self):
        scores = [
            (self[f"{score}_min"], self[f"{score}_max"] or HIGHEST_SCORE)
            for score in RFM_SCORES
        ]
        if not self.rfm_group and not any(
            self[f"{score}_{bound}"] for score in RFM_SCORES for bound in ("min", "max")
        ):
            return self.env._("Choose an RFM group, or a range for one of the scores.")
        if any(
            not 0 <= low <= high or high > HIGHEST_SCORE or high < 1
            for low, high in scores
        ):
            return self.env._(
                "RFM scores go from 1 to 5, and a range from the smaller to the larger."
            )
        return None

    def _find_gap_in_segment(self):
        if not self.other_segment_id:
            return self.env._("Choose the segment that people are in, or not in.")
        if self.other_segment_id.company_id._origin != self._get_company():
            return self.env._(
                "The other segment is one of another company. Choose one of the same "
                "company."
            )
        return None

    def _find_gap_in_group(self):
        if not self.child_ids:
            return self.env._(
                "A group has no condition. Add one to it, or remove the group."
            )
        return None

    # === CONTACTS ===#

    def _parse_domain(self):
        """Return the domain that people wrote.

        :rtype: odoo.fields.Domain
        :raises ValidationError: when it is none
        """
        try:
            return Domain(read_domain(self.domain))
        except (ValueError, TypeError, RecursionError) as error:
            raise ValidationError(
                self.env._(
                    "“%(domain)s” is no filter for contacts (%(error)s). Write it as "
                    "in [('country_id.code', '=', 'HU')]; dates may be relative, as "
                    "'today -30d'.",
                    domain=self.domain,
                    error=error,
                )
            ) from None

    def _check_domain(self):
        """Refuse a domain that Odoo or the database cannot work with, and what the
        writer may not see. (Odoo checks constraints with all rights.)

        :raises ValidationError: with the reason
        """
        for condition in self:
            if condition.kind != "customer":
                continue
            try:
                self._check_searchable(condition._parse_domain())
            except ValueError as error:
                raise ValidationError(
                    self.env._(
                        "Contacts cannot be filtered by “%(domain)s”: %(error)s",
                        domain=condition.domain,
                        error=error,
                    )
                ) from None

    def _check_searchable(self, domain):
        """Have Odoo and the database understand a domain over contacts.

        :raises ValueError: with the reason why they do not, or why the user may not
        """
        try:
            with mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                query = self.env["res.partner"]._search(domain)
                self.env.cr.execute(SQL("EXPLAIN %s", query.select()))
        except Exception as error:
            # Odoo answers a value that a field cannot have with errors of any kind.
            raise ValueError(str(error).strip().split("\n")[0]) from None

    def _get_customer_domain(self, among, reader, names):
        domain = self._parse_domain()
        writer = self.env["res.users"] if reader else self._get_reader(domain)
        if not writer:
            return domain
        query = self._get_segment()._get_contacts(writer)._search(domain)
        if among:
            query.add_where(SQL("res_partner.id IN (%s)", among))
        return joined(query.select(), next(names), is_in=True)

    # === BEHAVIOUR ===#

    def _get_behaviour_domain(self, among, _reader, names):
        is_most = self.comparison == "at_most"
        contacts = contacts_who(
            self.behaviour,
            self.times + 1 if is_most else self.times,
            self._get_target(),
            self._get_scope(among),
        )
        return joined(contacts, next(names), is_in=not is_most)

    def _get_target(self):
        """Return what was bought, viewed … as queries.

        :rtype: Target
        """
        if self.target == "product":
            return Target(SQL("SELECT %s", self.product_tmpl_id._origin.id))
        if self.target == "category":
            # Whether it is sold at present does not matter for what was done with it.
            anyway = {"active_test": False}
            within = [("id", "child_of", self.category_id._origin.ids)]
            categories = self.env["product.public.category"].sudo()
            categories = categories.with_context(**anyway)._search(within)
            templates = self.env["product.template"].sudo().with_context(**anyway)
            templates = templates._search([("public_categ_ids", "in", categories)])
            return Target(templates.select(), categories.select())
        return Target()

    def _get_scope(self, among):
        company = self._get_company()
        now = fields.Datetime.now()
        shops = self.env["website"].sudo().search([("company_id", "=", company.id)])
        base_url = self.env["ir.config_parameter"].sudo().get_param("web.base.url")
        return Scope(
            company.id,
            now - timedelta(days=self.period_days) if self.period_days else None,
            among,
            hosts_of([base_url, *shops.mapped("domain")]),
        )

    # === OTHER KINDS ===#

    def _get_rfm_domain(self, _among, _reader, _names):
        """Who never ordered has no scores: outside of every range."""
        domain = Domain.TRUE
        if self.rfm_group:
            domain &= Domain("marketing_rfm_group", "in", [self.rfm_group])
        for score in RFM_SCORES:
            low, high = self[f"{score}_min"], self[f"{score}_max"]
            if low or high:
                name = f"marketing_{score}_score"
                domain &= Domain(name, ">=", low or 1)
                domain &= Domain(name, "<=", high or HIGHEST_SCORE)
        return domain

    def _get_segment_domain(self, _among, _reader, names):
        """The members the other segment has: it is refreshed before this one."""
        members = self.other_segment_id._get_member_query()
        query = SQL("SELECT partner_id AS id FROM (%s) AS member", members)
        return joined(query, next(names), is_in=self.membership == "in")

    def _get_group_domain(self, among, reader, names):
        return self.child_ids._get_joint_domain(self.logic, among, reader, names)


def joined(contacts, number, is_in):
    """Return the domain of the contacts that a query finds, or of all others.

    A join: PostgreSQL hashes it, whatever its size. Of ``IN`` and ``NOT IN`` it does so
    only as long as it believes that the ids fit into memory.

    :param SQL contacts: query with one column ``id``, each contact once
    :param int number: no other in the same query has it
    :param bool is_in: whether those are meant that are found
    :rtype: odoo.fields.Domain
    """
    name = f"condition_{number}"

    def to_sql(_model, alias, query):
        found = SQL.identifier(name, "id")
        query.add_join(
            "LEFT JOIN",
            name,
            SQL("(%s)", contacts),
            SQL("%s = %s", found, SQL.identifier(alias, "id")),
        )
        return SQL("%s IS NOT NULL" if is_in else "%s IS NULL", found)

    return Domain.custom(to_sql=to_sql)
