"""What people did, as SQL: who did it at least so often.

A person is all contacts with the same email address; a contact without one is a person
of its own. What people did is read from where Odoo and this addon keep it:

======== ================================================== =====================
bought   confirmed orders with a line of a product           orders are counted
viewed   product pages that a signed-in visitor opened       views are counted
opened   messages, as far as a person opened them            messages are counted
clicked  links in messages, as far as a person followed them messages are counted
left     carts that were left behind and count as such       carts are counted
======== ================================================== =====================
"""

from typing import NamedTuple
from urllib.parse import urlsplit

from odoo.tools import SQL

from ...tools.shop_url import tidy_base_url
from ..cart.cart_detection import RECOVERABLE_LINE

# The path of a page of the shop, in whatever language; then its parts. A product is
# /shop/blue-mug-12 or /shop/mugs-3/blue-mug-12, a category /shop/category/mugs-3.
SHOP_PATH = "^(?:https?://[^/?#]+)?(?:/[a-z]{2,3}(?:_[A-Za-z@]+)?)?/shop/"
PRODUCT_PATH = (
    SHOP_PATH + "(?!category/|cart|checkout|payment)(?:[^/?#]+/)?"
    "(?:[^/?#]*-)?([0-9]{1,9})/?(?:[?#]|$)"
)
CATEGORY_PATH = SHOP_PATH + "category/(?:[^/?#]*-)?([0-9]{1,9})(?:[/?#]|$)"


# A line of a confirmed order with a product: no delivery, discount or other reward, no
# down payment, and of a combination the whole rather than its parts. Odoo keeps the
# customer and the state of an order with its lines, too.
BOUGHT_LINE = SQL(
    """sol.state = 'sale' AND sol.product_uom_qty > 0
       AND NOT COALESCE(sol.is_downpayment, FALSE) AND %s""",
    RECOVERABLE_LINE,
)


class Target(NamedTuple):
    """What something was done with.

    :param SQL templates: query of ids of product templates; None for anything
    :param SQL categories: query of ids of categories of the shop, where pages of
        categories count too; else None
    """

    templates: SQL | None = None
    categories: SQL | None = None

    @property
    def variants(self):
        """Query of ids of products."""
        return SQL(
            "SELECT id FROM product_product WHERE product_tmpl_id IN (%s)",
            self.templates,
        )


class Scope(NamedTuple):
    """Whose and which facts are looked at.

    :param int company_id: facts of this company
    :param datetime since: facts from then on; None for all
    :param SQL among: query of ids of contacts, all those of each person; None for all
    :param list hosts: names of the hosts of the company's shops
    """

    company_id: int
    since: object = None
    among: SQL | None = None
    hosts: tuple = ()

    def after(self, column):
        """Return the condition that a fact is not too old."""
        return SQL("%s >= %s", column, self.since) if self.since else SQL("TRUE")

    def of(self, column):
        """Return the condition that a fact is of one of the contacts."""
        return SQL("%s IN (%s)", column, self.among) if self.among else SQL("TRUE")

    def of_person(self, partner, email):
        """Return the same where a fact knows a contact, an address, or both."""
        if not self.among:
            return SQL("TRUE")
        return SQL(
            """(%(partner)s IN (%(among)s)
                OR %(email)s IN (SELECT email_normalized FROM res_partner
                                  WHERE id IN (%(among)s)))""",
            partner=partner,
            email=email,
            among=self.among,
        )


def contacts_who(behaviour, least, target, scope):
    """Return the query of the contacts of all who did something so often.

    :param str behaviour: key of ``customer.segment.condition.behaviour``
    :param int least: how often at least
    :param Target target: what with
    :param Scope scope: whose facts, of which time
    :return: a query with one column ``id``, each contact once
    :rtype: SQL
    """
    facts = {
        "bought": _bought,
        "viewed": _viewed,
        "opened": _opened,
        "clicked": _clicked,
        "abandoned": _abandoned,
    }[behaviour](target, scope)
    return SQL(
        """WITH twins AS MATERIALIZED (%(twins)s),
                who AS (SELECT COALESCE(twins.person, fact.partner_id) AS person
                          FROM (%(facts)s) fact
                          LEFT JOIN twins ON twins.id = fact.partner_id
                         GROUP BY 1 %(often)s)
           SELECT person AS id FROM who
            UNION ALL
           SELECT id FROM twins
            WHERE id != person AND person IN (SELECT person FROM who)""",
        twins=_twins(scope),
        facts=facts,
        # Whether somebody did it at all is found without sorting what they did.
        often=SQL("HAVING count(DISTINCT fact.id) >= %s", least)
        if least > 1
        else SQL(),
    )


def _twins(scope):
    """Return the query of the contacts that share an address: their ids, and of each
    the smallest of those with the address, which stands for the person."""
    if scope.among:
        return SQL(
            """SELECT id, min(id) OVER (PARTITION BY email_normalized) AS person
                 FROM res_partner WHERE email_normalized != '' AND id IN (%s)""",
            scope.among,
        )
    # Most addresses stand for one contact: they are passed over in the index alone.
    # OFFSET 0 has PostgreSQL look up the others instead of reading everybody again.
    return SQL(
        """SELECT p.id, min(p.id) OVER (PARTITION BY shared.email_normalized) AS person
             FROM (SELECT email_normalized FROM res_partner
                    WHERE email_normalized != ''
                    GROUP BY email_normalized HAVING count(*) > 1) shared
            CROSS JOIN LATERAL (
                   SELECT id FROM res_partner
                    WHERE email_normalized = shared.email_normalized OFFSET 0) p"""
    )


# === FACTS: one query each; `partner_id` is who did it, `id` is what is counted ===#


def _bought(target, scope):
    """Confirmed orders with such a line."""
    within = SQL("TRUE")
    if scope.since:
        within = SQL(
            """sol.order_id IN (SELECT so.id FROM sale_order so
                                 WHERE so.company_id = %s AND so.state = 'sale'
                                   AND %s AND %s)""",
            scope.company_id,
            scope.after(SQL("so.date_order")),
            scope.of(SQL("so.partner_id")),
        )
    return SQL(
        """SELECT sol.order_partner_id AS partner_id, sol.order_id AS id
             FROM sale_order_line sol
            WHERE %(line)s AND sol.company_id = %(company)s
              AND %(within)s AND %(among)s AND %(of_target)s""",
        company=scope.company_id,
        line=BOUGHT_LINE,
        within=within,
        among=scope.of(SQL("sol.order_partner_id")),
        of_target=_of_target(SQL("sol.product_id"), target),
    )


def _viewed(target, scope):
    """Odoo keeps one view of a product in half an hour. Who is not signed in has no
    contact yet; their views come along when they sign in."""
    return SQL(
        """SELECT visitor.partner_id, track.id FROM website_track track
             JOIN website_visitor visitor ON visitor.id = track.visitor_id
             JOIN website ON website.id = visitor.website_id
            WHERE visitor.partner_id IS NOT NULL AND track.product_id IS NOT NULL
              AND website.company_id = %(company)s
              AND %(after)s AND %(among)s AND %(of_target)s""",
        company=scope.company_id,
        after=scope.after(SQL("track.visit_datetime")),
        among=scope.of(SQL("visitor.partner_id")),
        of_target=_of_target(SQL("track.product_id"), target),
    )


def _opened(_target, scope):
    """A message is about no product."""
    return _by_address(_engagement(SQL("'open'"), SQL("TRUE"), scope), scope)


def _clicked(target, scope):
    condition = _links_to(target, scope) if target.templates else SQL("TRUE")
    return _by_address(_engagement(SQL("'click'"), condition, scope), scope)


def _abandoned(target, scope):
    """Carts that are excluded from recovery were none: see ``exclusion_reason``."""
    of_target = SQL("TRUE")
    if target.templates:
        of_target = SQL(
            """EXISTS (SELECT FROM jsonb_to_recordset(cart.lines)
                                   AS line (product_id int)
                        WHERE line.product_id IN (%s))""",
            target.variants,
        )
    carts = SQL(
        """SELECT cart.partner_id, cart.email_normalized AS email, cart.id
             FROM abandoned_cart cart
            WHERE cart.company_id = %(company)s AND cart.state != 'excluded'
              AND %(after)s AND %(among)s AND %(of_target)s""",
        company=scope.company_id,
        after=scope.after(SQL("cart.abandoned_at")),
        among=scope.of_person(SQL("cart.partner_id"), SQL("cart.email_normalized")),
        of_target=of_target,
    )
    return _by_address(carts, scope)


# === PARTS ===#


def _engagement(kind, condition, scope):
    """Return what people (no scanners) did with messages."""
    return SQL(
        """SELECT m.partner_id, m.email_normalized AS email, m.id
             FROM marketing_engagement e
             JOIN marketing_message m ON m.id = e.message_id
            WHERE e.kind = %(kind)s AND e.is_machine IS NOT TRUE
              AND e.company_id = %(company)s
              AND %(after)s AND %(among)s AND %(condition)s""",
        kind=kind,
        company=scope.company_id,
        after=scope.after(SQL("e.occurred_at")),
        among=scope.of_person(SQL("m.partner_id"), SQL("m.email_normalized")),
        condition=condition,
    )


def _links_to(target, scope):
    """Return the condition that a link leads to a product's page, or a category's."""
    condition = SQL(
        "substring(e.url from %s)::int IN (%s)", PRODUCT_PATH, target.templates
    )
    if target.categories:
        condition = SQL(
            "(%s OR substring(e.url from %s)::int IN (%s))",
            condition,
            CATEGORY_PATH,
            target.categories,
        )
    return SQL(
        """(e.url LIKE '/%%' OR lower(substring(e.url from '^https?://([^/?#]+)'))
                                = ANY(%s)) AND %s""",
        list(scope.hosts),
        condition,
    )


def _of_target(product, target):
    if not target.templates:
        return SQL("TRUE")
    return SQL("%s IN (%s)", product, target.variants)


def _by_address(facts, scope):
    """Return facts that know a contact, an address or both as facts of contacts.

    Who has another address now did it all the same; and who was written to without
    being a contact yet may have become one.

    :param SQL facts: query with the columns ``partner_id``, ``email`` and ``id``
    """
    return SQL(
        """SELECT known.partner_id, known.id FROM (%(facts)s) known
            WHERE known.partner_id IS NOT NULL AND %(of_known)s
            UNION ALL
           SELECT p.id, known.id FROM (%(facts)s) known
             JOIN res_partner p ON p.email_normalized = known.email
            WHERE known.email != '' AND %(of_found)s""",
        facts=facts,
        of_known=scope.of(SQL("known.partner_id")),
        of_found=scope.of(SQL("p.id")),
    )


def hosts_of(urls):
    """Return the names of hosts as links have them, with the port where one is given.

    :param urls: addresses of shops, some may be empty
    :rtype: tuple[str]
    """
    hosts = {urlsplit(tidy_base_url(url)).netloc for url in urls if url}
    return tuple(sorted(hosts - {""}))
