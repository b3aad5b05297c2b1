from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

# How often somebody left a cart behind and what became of it, by figure. What is
# excluded from recovery counts as no cart that was left; quotations are none.
FIGURES = {
    "left": SQL("TRUE"),
    "returned": SQL("(c.returned_at IS NOT NULL OR c.recovered_at IS NOT NULL)"),
    "recovered": SQL("c.state = 'recovered'"),
}


def _carts_of(company_id, partner_ids=None):
    """Return a query for the carts of contacts: a person's carts are those of all
    contacts with the same address.

    :param int company_id: whose carts
    :param list partner_ids: contacts; None for all
    :return: a query with the columns ``partner_id`` and ``cart_id``
    :rtype: SQL
    """
    among = SQL()
    if partner_ids is not None:
        among = SQL(" AND p.id = ANY(%s)", partner_ids)
    return SQL(
        """SELECT p.id AS partner_id, c.id AS cart_id
             FROM abandoned_cart c JOIN res_partner p ON p.id = c.partner_id
            WHERE c.company_id = %(company_id)s%(among)s
            UNION
           SELECT p.id, c.id
             FROM abandoned_cart c
             JOIN res_partner p ON p.email_normalized = c.email_normalized
            WHERE c.company_id = %(company_id)s
              AND c.email_normalized != ''%(among)s""",
        company_id=company_id,
        among=among,
    )


def _figure(name, **kwargs):
    return fields.Integer(
        compute="_compute_marketing_carts",
        search=lambda partners, operator, value: partners._search_marketing_carts(
            name, operator, value
        ),
        groups="marketing_automation.group_marketing_user",
        **kwargs,
    )


class ResPartner(models.Model):
    """How often a customer left a cart behind, came back and bought, in the current
    company and under whatever contact (C8)."""

    _inherit = "res.partner"

    marketing_carts_left = _figure("left", string="Carts Left Behind")
    marketing_carts_returned = _figure("returned", string="Carts Come Back To")
    marketing_carts_recovered = _figure("recovered", string="Carts Recovered")
    marketing_cart_count = fields.Integer(
        string="All Carts",
        compute="_compute_marketing_carts",
        groups="marketing_automation.group_marketing_user",
    )

    @api.depends_context("company")
    def _compute_marketing_carts(self):
        self.env["abandoned.cart"].flush_model()
        self.env["res.partner"].flush_model(["email_normalized"])
        rows = self.env.execute_query(
            SQL(
                """SELECT found.partner_id, count(*), %s
                     FROM (%s) found
                     JOIN abandoned_cart c ON c.id = found.cart_id
                    GROUP BY found.partner_id""",
                SQL(", ").join(self._sql_cart_figure(name) for name in FIGURES),
                _carts_of(self.env.company.id, self._origin.ids),
            )
        )
        figures = {partner_id: numbers for partner_id, *numbers in rows}
        for partner in self:
            numbers = figures.get(partner._origin.id, (0,) * (len(FIGURES) + 1))
            partner.marketing_cart_count = numbers[0]
            for name, number in zip(FIGURES, numbers[1:], strict=True):
                partner[f"marketing_carts_{name}"] = number

    @api.model
    def _search_marketing_carts(self, name, operator, value):
        """Return who has such a figure; who never left a cart has none of any.

        :param str name: key of ``FIGURES``
        :rtype: Domain
        """
        compare = {"in": "IN", "<": "<", ">": ">", "<=": "<=", ">=": ">="}.get(operator)
        if not compare:
            return NotImplemented
        value = tuple(map(int, value)) if operator == "in" else int(value)
        if operator == "in" and not value:
            return Domain.FALSE
        holds = SQL("%s %s %s", self._sql_cart_figure(name), SQL(compare), value)
        [(holds_for_nobody, holds_for_one)] = self.env.execute_query(
            SQL(
                "SELECT 0 %(compare)s %(value)s, 1 %(compare)s %(value)s",
                compare=SQL(compare),
                value=value,
            )
        )
        self.env["abandoned.cart"].flush_model()
        # Whether there is any at all is asked for most.
        if (operator != "in" or value == (0,)) and holds_for_nobody != holds_for_one:
            any_cart = self._get_any_cart_domain(name)
            return ~any_cart if holds_for_nobody else any_cart
        who = SQL(
            """SELECT found.partner_id FROM (%s) found
                 JOIN abandoned_cart c ON c.id = found.cart_id
                GROUP BY found.partner_id HAVING %s""",
            _carts_of(self.env.company.id),
            SQL("NOT (%s)", holds) if holds_for_nobody else holds,
        )
        return Domain("id", "not in" if holds_for_nobody else "in", who)

    @api.model
    def _sql_cart_figure(self, name):
        return SQL("count(*) FILTER (WHERE %s)", self._sql_counts_as(name))

    @api.model
    def _sql_counts_as(self, name):
        return SQL(
            "(c.state != 'excluded' AND c.kind != 'quotation' AND %s)", FIGURES[name]
        )

    @api.model
    def _get_any_cart_domain(self, name):
        """Return the domain of contacts with at least one such cart: nothing has to be
        counted for it, nor each cart to be brought together with its person.

        :param str name: key of ``FIGURES``
        :rtype: Domain
        """
        carts = SQL(
            "abandoned_cart c WHERE c.company_id = %s AND %s",
            self.env.company.id,
            self._sql_counts_as(name),
        )
        return Domain(
            "id",
            "in",
            SQL("SELECT c.partner_id FROM %s AND c.partner_id IS NOT NULL", carts),
        ) | Domain(
            "email_normalized",
            "in",
            SQL(
                "SELECT c.email_normalized FROM %s AND c.email_normalized != ''", carts
            ),
        )

    # === ACTION METHODS ===#

    def action_view_marketing_carts(self):
        """Open the carts and quotations this person left, under whatever contact.

        :return: a window action
        :rtype: dict
        """
        self.ensure_one()
        person = Domain("partner_id", "in", self.ids)
        if self.email_normalized:
            person |= Domain("email_normalized", "=", self.email_normalized)
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "marketing_automation.action_abandoned_cart"
        )
        return {
            **action,
            "display_name": self.env._("Carts: %s", self.display_name),
            "domain": list(person & Domain("company_id", "=", self.env.company.id)),
            "context": {},
        }
