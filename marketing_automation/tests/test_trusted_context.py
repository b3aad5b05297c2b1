import json

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from ..models.audience.blacklists import IS_LOGGED
from ..models.audience.marketing_consent_log import IP, SOURCE
from ..models.cart.sale_order import SKIP_ACTIVITY
from ..models.coupon.coupon_check import CONFIRMING
from ..models.sequence.marketing_sequence_step import DELETING, EDITING
from ..models.sequence.sequence_version import INSTALLING
from ..tools.trusted_context import heard, say
from .common import MarketingCase
from .world import GROUP_MANAGER

# What a client may send: plain values of JSON, also such as our own code says.
FORGED = (True, 1, "yes", [1], {"yes": 1})


@tagged("post_install", "-at_install")
class TestTrustedContext(MarketingCase):
    """A client that chooses the context of a call weakens nothing by it."""

    def _forge(self, records, *keys):
        """Yield records with the keys in their context as clients can send them."""
        for value in FORGED:
            context = json.loads(json.dumps(dict.fromkeys(keys, value)))
            yield records.with_context(**context)

    def test_only_our_own_words_are_heard(self):
        env = self.env
        self.assertEqual(heard(env(context={"key": say()}), "key"), "yes")
        self.assertEqual(heard(env(context={"key": say(7)}), "key"), "7")
        for value in (*FORGED, json.loads(json.dumps(say())), None, False):
            self.assertEqual(heard(env(context={"key": value}), "key"), "", value)

    def test_the_proof_of_consent_says_what_was_so(self):
        """Whoever may blacklist addresses is no source of consent but that."""
        user = new_test_user(
            self.env,
            "context_mailer",
            groups="base.group_user,mass_mailing.group_mass_mailing_user",
        )
        log = self.env["marketing.consent.log"]
        blacklist = self.env["mail.blacklist"].with_user(user)
        for number, forged in enumerate(
            self._forge(blacklist, SOURCE, IP, "consent_source", "consent_ip")
        ):
            before = log.search([], limit=1).id or 0
            forged.create({"email": f"forged{number}@example.com"})
            line = log.search([("id", ">", before)])
            self.assertEqual(line.mapped("source"), ["blacklist"])
            self.assertEqual(line.mapped("ip"), [False])
        before = log.search([], limit=1).id or 0
        self.env["marketing.preference"]._withdraw_all(
            self.company, "email", "real@example.com", "reply", ip="192.0.2.1"
        )
        lines = log.search([("id", ">", before), ("purpose", "=", "all")])
        self.assertEqual(lines.mapped("source"), ["reply"])
        self.assertEqual(lines.mapped("ip"), ["192.0.2.1"])

    def test_nobody_leaves_a_list_without_a_line_in_the_log(self):
        lists = self.env["mailing.list"].create({"name": "News"})
        log = self.env["marketing.consent.log"]
        subscriptions = self.env["mailing.subscription"]
        for number, forged in enumerate(
            self._forge(subscriptions, IS_LOGGED, "consent_is_logged")
        ):
            contact = self.env["mailing.contact"].create(
                {"name": "X", "email": f"left{number}@example.com"}
            )
            before = log.search([], limit=1).id or 0
            forged.create(
                {"contact_id": contact.id, "list_id": lists.id, "opt_out": True}
            )
            line = log.search([("id", ">", before)])
            self.assertEqual(line.mapped("source"), ["mailing_list"])

    def test_edits_of_sequences_are_checked_and_kept(self):
        manager = new_test_user(self.env, "context_manager", groups=GROUP_MANAGER)
        template = self.env["marketing.template"].search(
            [("context", "=", "cart"), ("channel", "=", "email")], limit=1
        )
        own = template.copy({"company_id": self.company.id})
        sequence = self.env["marketing.sequence"].create(
            {
                "name": "Mine",
                "company_id": self.company.id,
                "step_ids": [Command.create({"name": "1", "template_id": own.id})],
            }
        )
        for number, forged in enumerate(
            self._forge(
                sequence.with_user(manager),
                EDITING,
                DELETING,
                INSTALLING,
                "install_mode",
            )
        ):
            versions = len(sequence.version_ids)
            forged.name = f"Mine {number}"
            self.env.invalidate_all()
            self.assertEqual(len(sequence.version_ids), versions + 1)
            with self.assertRaises(UserError), self.env.cr.savepoint():
                # Steps that speak of a cart, to people who have none.
                forged.kind = "contact"
                self.env.flush_all()
            self.env.invalidate_all()

    def test_steps_that_had_messages_are_archived(self):
        cart = self._abandon()
        self._process_steps()
        step = cart.message_ids.step_id
        sequence = step.sequence_id
        self.assertTrue(step)
        for forged in self._forge(step, DELETING):
            forged.unlink()
            self.assertTrue(step.exists())
            self.assertFalse(step.active)
            step.active = True
        self.assertTrue(sequence.exists())

    def test_carts_of_clients_have_their_time(self):
        for forged in self._forge(self.env["sale.order"], SKIP_ACTIVITY):
            order = forged.create(
                {"partner_id": self.customer.id, "website_id": self.website.id}
            )
            self.assertTrue(order.cart_activity_at)

    def test_coupons_are_checked(self):
        """A card that is refused stays off the cart, whatever the context says."""
        order = self._create_cart()
        program = self.env["loyalty.program"].create(
            {
                "name": "C",
                "program_type": "coupons",
                "applies_on": "current",
                "trigger": "with_code",
                "rule_ids": [Command.create({})],
                "reward_ids": [
                    Command.create(
                        {
                            "discount": 10,
                            "discount_mode": "percent",
                            "required_points": 1,
                        }
                    )
                ],
            }
        )
        card = self.env["loyalty.card"].create(
            {
                "program_id": program.id,
                "points": 1,
                "marketing_coupon_id": self.env.ref(
                    "marketing_automation.coupon_tiered"
                ).id,
                "marketing_email": "somebody-else@example.com",
                "expiration_date": "2000-01-01",
            }
        )
        for forged in self._forge(order, CONFIRMING):
            answer = forged._apply_program_reward(program.reward_ids, card)
            self.assertIn("error", answer)
            self.assertFalse(order.order_line.filtered("coupon_id"))
