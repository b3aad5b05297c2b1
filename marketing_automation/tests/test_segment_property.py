import os
import random

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import SQL

from .examples import examples
from .segment_common import SegmentCase
from .segment_world import (
    NOW,
    Fact,
    happened_at,
    make_group,
    make_world,
    select,
)

# Another world each day of development: MARKETING_SEGMENT_SEED=N makes it again.
SEED = int(os.environ.get("MARKETING_SEGMENT_SEED", "20260615"))
WORLDS = 2
CRITERIA = examples(15, 40)


@tagged("post_install", "-at_install")
class TestSegmentProperty(SegmentCase):
    """JSON, the conditions made of it and their SQL mean the same people as a plain
    evaluation of the JSON."""

    def test_random_criteria_select_the_right_people(self):
        for number in range(WORLDS):
            seed = SEED + number
            generator = random.Random(seed)
            world = make_world(generator)
            with self.env.cr.savepoint() as savepoint, self._at(NOW):
                partners, ids = self._build(world)
                for _number in range(CRITERIA):
                    criteria = make_group(generator, ids)
                    with self.subTest(seed=seed, criteria=criteria):
                        self._check(world, criteria, partners, ids, generator)
                savepoint.rollback()
            self.env.invalidate_all()

    def _check(self, world, criteria, partners, ids, generator):
        segment = self._create_segment()
        self.assertEqual(segment.set_criteria(criteria), criteria)
        expected = select(world, criteria, ids)
        found = self._fetch(segment, partners)
        self.assertEqual(found, expected)
        # The same for a few, as after a change; all contacts of a person go together.
        chosen = generator.choice(world.contacts).email
        few = {
            number
            for number, contact in enumerate(world.contacts)
            if contact.email == chosen
        }
        among = SQL("SELECT unnest(%s)", [partners[number].id for number in few])
        self.assertEqual(self._fetch(segment, partners, among), expected & few)

    def _fetch(self, segment, partners, among=None):
        """Return the numbers of the contacts that a segment's query finds."""
        query = segment._get_partner_query(among)
        self.env.flush_all()
        numbers = {partner.id: number for number, partner in enumerate(partners)}
        rows = [partner_id for (partner_id,) in self.env.execute_query(query)]
        self.assertEqual(len(rows), len(set(rows)))
        return {numbers[partner_id] for partner_id in rows if partner_id in numbers}

    # === THE WORLD IN THE DATABASE ===#

    def _build(self, world):
        """Write a world.

        :return: contacts by number; ids of products, categories and the segment
        """
        ids, self.variants = self._build_products()
        partners = [self._build_contact(contact) for contact in world.contacts]
        segment = self._create_segment(kind="static")
        segment.add_contacts([partners[number].id for number in world.members])
        ids["segment"] = segment.id
        for fact in world.facts:
            getattr(self, f"_build_{fact.kind}")(fact, partners[fact.contact])
        self._build_consent(world)
        return partners, ids

    def _build_consent(self, world):
        """Whoever was sent a message by now had to have agreed to it."""
        self.env["marketing.preference"].search([]).unlink()
        self.company.consent_policy = "opt_in"
        for email, state in world.consent.items():
            self.env["marketing.preference"]._record(
                self.company, "email", ["offers"], [email], state, "form"
            )
        for email in world.blacklist:
            self.env["mail.blacklist"].create({"email": email})

    def _build_products(self):
        categories = self.env["product.public.category"]
        tableware = categories.create({"name": "Tableware"})
        cups = categories.create({"name": "Cups", "parent_id": tableware.id})
        variants = {
            "mug": self._create_product(
                "Mug", 5.0, public_categ_ids=[Command.link(tableware.id)]
            ),
            "cup": self._create_product(
                "Cup", 6.0, public_categ_ids=[Command.link(cups.id)]
            ),
            "lamp": self._create_product("Lamp", 7.0),
        }
        ids = {name: variant.product_tmpl_id.id for name, variant in variants.items()}
        ids |= {
            "tableware": tableware.id,
            "cups": cups.id,
            "empty": categories.create({"name": "Empty"}).id,
        }
        return ids, variants

    def _build_contact(self, contact):
        country = self.env["res.country"].search([("code", "=", contact.country)])
        partner = self._create_customer(
            contact.name, contact.email or False, country_id=country.id
        )
        if contact.metrics:
            metrics = contact.metrics
            self.env["marketing.customer.metrics"].create(
                {
                    "partner_id": partner.id,
                    "company_id": self.company.id,
                    "total_orders": metrics["total_orders"],
                    "last_order_date": happened_at(metrics["days_ago"]),
                    "rfm_group": metrics["rfm_group"],
                    "recency_score": metrics["recency"],
                    "frequency_score": metrics["frequency"],
                    "monetary_score": metrics["monetary"],
                }
            )
        return partner

    def _products(self, fact: Fact):
        return [self.variants[name] for name in fact.products]

    def _build_bought(self, fact, partner):
        order = self._order(partner, self._products(fact))
        order.date_order = happened_at(fact.days_ago)

    def _build_viewed(self, fact, partner):
        track = self._view(partner, self._products(fact)[0])
        track.visit_datetime = happened_at(fact.days_ago)

    def _build_opened(self, fact, partner):
        self._engage(partner, "open", occurred_at=happened_at(fact.days_ago))

    def _build_clicked(self, fact, partner):
        template = self._products(fact)[0].product_tmpl_id
        self._engage(
            partner,
            occurred_at=happened_at(fact.days_ago),
            url=f"/shop/x-{template.id}",
        )

    def _build_abandoned(self, fact, partner):
        self.env["abandoned.cart"].create(
            {
                "partner_id": partner.id,
                "email_normalized": partner.email_normalized,
                "company_id": self.company.id,
                "website_id": self.website.id,
                "abandoned_at": happened_at(fact.days_ago),
                "lines": [
                    {"product_id": product.id, "quantity": 1}
                    for product in self._products(fact)
                ],
            }
        )
