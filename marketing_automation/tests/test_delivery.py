from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import file_open, mute_logger

from ..models.delivery.marketing_gate import (
    ADDRESS_RULES,
    CART_RULES,
    MARKETING_RULES,
    Decision,
)
from .common import MarketingCase
from .smtp_server import CLOSE, FaultySmtpServer, RecordingSmtpServer

DISPATCHER = "odoo.addons.marketing_automation.models.delivery.marketing_dispatcher"


@tagged("post_install", "-at_install")
class TestDelivery(MarketingCase):
    """The outbox, from a due step to a message that is settled."""

    def _queue(self, *args, **kwargs):
        """Abandon a cart long enough ago that its first message is due."""
        cart = self._abandon(*args, **kwargs)
        self._process_steps()
        return cart.message_ids

    def _dispatch(self):
        self._run_cron("ir_cron_dispatch")
        self.env.invalidate_all()

    # === SANDBOX ===#

    def test_fresh_install_delivers_into_the_sandbox(self):
        self.assertEqual(self.smtp.state, "disabled")
        message = self._queue()
        self._dispatch()
        self.assertEqual(message.state, "sent")
        self.assertTrue(message.is_sandbox)
        self.assertEqual(message.provider_id, self.sandbox)
        self.assertIn("Blue mug", message.body_html)
        self.assertIn("Blue mug", message.body_text)
        self.assertTrue(message.sent_at)

    def test_only_administrators_let_messages_leave(self):
        manager = new_test_user(
            self.env, "mm", groups="marketing_automation.group_marketing_manager"
        )
        with self.assertRaises(AccessError):
            self.smtp.with_user(manager).action_enable()
        self.company.email = False
        with self.assertRaisesRegex(UserError, "sender address"):
            self.smtp.action_enable()
        self.smtp.from_email = "shop@example.com"
        self.smtp.action_enable()
        self.assertEqual(self.smtp.state, "enabled")
        with self.assertRaisesRegex(UserError, "not one valid email"):
            self.smtp.from_email = "a@example.com, b@example.com"

    def test_copied_database_delivers_into_the_sandbox(self):
        self.smtp.action_enable()
        self.env.flush_all()
        with file_open("marketing_automation/data/neutralize.sql") as script:
            self.env.cr.execute(script.read())
        self.env.invalidate_all()
        self.assertEqual(self.smtp.state, "disabled")
        provider = self.env["marketing.provider"]._select(self.company, "email")
        self.assertEqual(provider, self.sandbox)

    # === SMTP ===#

    def test_real_smtp_connection(self):
        message = self._queue()
        with RecordingSmtpServer() as server, self._use_smtp(server.port):
            self._dispatch()
            self._dispatch()
        self.assertEqual(message.state, "sent")
        self.assertFalse(message.is_sandbox)
        [(_sender, recipients, content)] = server.messages
        self.assertEqual(recipients, ["anna@example.com"])
        lines = content.replace(b"\r\n ", b" ")
        url = message._get_unsubscribe_url().encode()
        self.assertIn(b"List-Unsubscribe: <" + url + b">", lines)
        self.assertIn(b"List-Unsubscribe-Post: List-Unsubscribe=One-Click", lines)
        self.assertIn(message.message_ref.encode(), content)

    def test_bounces_come_back_to_an_address_that_names_the_message(self):
        self.company.alias_domain_id = self.env["mail.alias.domain"].create(
            {"name": "mail.example.com", "company_ids": self.company.ids}
        )
        message = self._queue()
        with RecordingSmtpServer() as server, self._use_smtp(server.port):
            self._dispatch()
        [(sender, _recipients, content)] = server.messages
        self.assertEqual(sender, f"bounce+{message._get_key()}@mail.example.com")
        self.assertNotIn(b"Return-Path", content)
        self.assertNotIn(message.token.encode(), content.split(b"List-Unsub")[0])

    def test_server_that_takes_other_senders_only_keeps_its_own(self):
        """The filter of Odoo's outgoing server decides about the envelope."""
        self.company.alias_domain_id = self.env["mail.alias.domain"].create(
            {"name": "mail.example.com", "company_ids": self.company.ids}
        )
        self._queue()
        with RecordingSmtpServer() as server, self._use_smtp(server.port) as outgoing:
            outgoing.from_filter = "example.com"
            self._dispatch()
        [(sender, _recipients, _content)] = server.messages
        self.assertNotIn("mail.example.com", sender)

    def test_refused_for_good(self):
        message = self._queue()
        with (
            RecordingSmtpServer({("RCPT", None): "550 5.1.1 no such user"}) as server,
            self._use_smtp(server.port),
        ):
            self._dispatch()
        self.assertEqual(
            (message.state, message.reason), ("failed", "recipient_refused")
        )
        self.assertIn("550", message.reason_detail)
        self.assertFalse(server.messages)

    def test_refused_for_now_is_tried_again_later(self):
        message = self._queue()
        with (
            RecordingSmtpServer({("RCPT", None): "451 4.7.1 greylisted"}) as server,
            self._use_smtp(server.port),
        ):
            self._dispatch()
        self.assertEqual(message.state, "queued")
        self.assertEqual(message.attempts, 1)
        self.assertGreater(
            message.scheduled_at, fields.Datetime.now() + timedelta(seconds=60)
        )
        message.scheduled_at = fields.Datetime.now()
        with RecordingSmtpServer() as server, self._use_smtp(server.port):
            self._dispatch()
        self.assertEqual(message.state, "sent")
        self.assertEqual(len(server.messages), 1)

    def test_given_up_after_many_attempts(self):
        message = self._queue()
        message.attempts = 9
        with (
            RecordingSmtpServer({("RCPT", None): "451 4.7.1 greylisted"}) as server,
            self._use_smtp(server.port),
        ):
            self._dispatch()
        self.assertEqual(
            (message.state, message.reason), ("failed", "too_many_attempts")
        )

    def test_connection_lost_within_data_is_uncertain_and_never_sent_again(self):
        message = self._queue()
        with FaultySmtpServer([{"BODY": CLOSE}]) as server, self._use_smtp(server.port):
            self._dispatch()
        self.assertEqual(
            (message.state, message.reason), ("uncertain", "connection_lost")
        )
        with RecordingSmtpServer() as server, self._use_smtp(server.port):
            self._dispatch()
        self.assertFalse(server.messages)
        self.assertEqual(message.state, "uncertain")

    def test_server_that_cannot_be_reached_costs_no_attempt(self):
        message = self._queue()
        with RecordingSmtpServer() as server:
            port = server.port
        with self._use_smtp(port):
            self._dispatch()
        self.assertEqual((message.state, message.reason), ("queued", "connect_failed"))
        self.assertEqual(message.attempts, 0)
        self.assertTrue(self.smtp.last_error)
        self.smtp.rest_until = fields.Datetime.now()
        with RecordingSmtpServer() as server, self._use_smtp(server.port):
            self._dispatch()
        self.assertEqual(message.state, "sent")
        self.assertFalse(self.smtp.last_error)

    def test_without_sender_messages_wait(self):
        message = self._queue()
        self.company.email = False
        with RecordingSmtpServer() as server, self._use_smtp(server.port):
            self._dispatch()
        self.assertEqual((message.state, message.reason), ("queued", "no_sender"))
        self.assertIn("sender", self.smtp.last_error)

    # === AT MOST ONCE ===#

    def test_one_message_per_step(self):
        message = self._queue()
        run = message.enrollment_id
        run.write({"next_step_id": message.step_id.id, "next_at": run.started_at})
        self._process_steps()
        self.assertEqual(run.message_ids, message)

    def test_claimed_once(self):
        message = self._queue()
        claim = self.env["marketing.message"]._claim
        self.assertEqual(claim(10, self.company, "email"), message)
        self.assertFalse(claim(10, self.company, "email"))

    def test_message_of_a_dead_worker_becomes_uncertain(self):
        message = self._queue()
        self.env["marketing.message"]._claim(10, self.company, "email")
        message.sending_at -= timedelta(hours=2)
        self._dispatch()
        self.assertEqual((message.state, message.reason), ("uncertain", "worker_lost"))

    def test_states_move_forward_only(self):
        message = self._queue()
        self.assertFalse(message._set_state("delivered"))
        self.assertEqual(message.state, "queued")
        message._set_state("sending")
        message._set_state("sent")
        message._set_state("delivered")
        for state in ("queued", "sending", "sent", "failed", "skipped", "cancelled"):
            self.assertFalse(message._set_state(state), state)
        self.assertEqual(message.state, "delivered")

    def test_crash_within_the_provider_is_uncertain(self):
        message = self._queue()

        class Broken:
            def send(self, batch, deadline=None):
                raise ZeroDivisionError("boom")

            def close(self):
                pass

        with (
            patch.object(type(self.sandbox), "_get_adapter", lambda _self: Broken()),
            mute_logger(DISPATCHER),
        ):
            self._dispatch()
        self.assertEqual(
            (message.state, message.reason), ("uncertain", "provider_error")
        )

    def test_rendering_error_fails_one_message_only(self):
        bad = self._queue()
        good = self._queue(self._create_customer("Bob", "bob@example.com"))
        broken = bad.template_id.copy()
        self.env.flush_all()
        self.env.cr.execute(
            """UPDATE marketing_template
                  SET body_html = '{"en_US": "{{ cart.lines[0].name.nope.deep }}"}'
                WHERE id = %s""",
            [broken.id],
        )
        self.env.invalidate_all()
        bad.template_id = broken
        self._dispatch()
        self.assertEqual((bad.state, bad.reason), ("failed", "rendering_error"))
        self.assertEqual(good.state, "sent")

    # === THE GATE ===#

    def _assert_blocked(self, message, reason):
        self.assertEqual(
            self.env["marketing.gate"]._decide(message), {message.id: Decision(reason)}
        )
        self._dispatch()
        self.assertEqual((message.state, message.reason), ("skipped", reason))

    def test_nothing_in_the_way(self):
        message = self._queue()
        self.assertEqual(
            self.env["marketing.gate"]._decide(message), {message.id: None}
        )

    def test_gate_opted_out(self):
        message = self._queue()
        self.env.cr.execute(
            "INSERT INTO mail_blacklist (email, active) VALUES (%s, TRUE)",
            ["anna@example.com"],
        )
        self._assert_blocked(message, "opted_out")
        self.assertEqual(message.enrollment_id.stop_reason, "opted_out")

    def test_gate_bought_elsewhere_between_queue_and_hand_over(self):
        message = self._queue()
        order = self.env["sale.order"].create(
            {
                "partner_id": self._create_customer("Anna 2", "anna@example.com").id,
                "order_line": [(0, 0, {"product_id": self.product.id})],
            }
        )
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sale_order SET state = 'sale' WHERE id = %s", [order.id]
        )
        self.env.invalidate_all()
        self._assert_blocked(message, "purchased")

    def test_gate_emptied(self):
        message = self._queue()
        message.abandoned_cart_id.order_id.order_line.unlink()
        self._assert_blocked(message, "emptied")

    def test_gate_cancelled_cart(self):
        message = self._queue()
        message.abandoned_cart_id.order_id._action_cancel()
        self._assert_blocked(message, "emptied")

    def test_gate_expired(self):
        message = self._queue()
        message.abandoned_cart_id.expires_at = fields.Datetime.now()
        self._assert_blocked(message, "expired")

    def test_gate_customer_is_in_the_shop(self):
        message = self._queue()
        message.abandoned_cart_id.order_id.cart_activity_at = fields.Datetime.now()
        self._assert_blocked(message, "returned")
        self.assertEqual(message.enrollment_id.state, "active", "goes on later")

    def test_gate_nothing_sold_any_more(self):
        message = self._queue()
        self.product.is_published = False
        self._assert_blocked(message, "nothing_available")

    def test_gate_no_email(self):
        message = self._queue()
        message.email_normalized = False
        self._assert_blocked(message, "no_email")

    def test_every_rule_has_a_reason_that_can_be_shown(self):
        reasons = dict(self.env["marketing.message"]._fields["reason"].selection)
        for reason, _condition in ADDRESS_RULES + MARKETING_RULES + CART_RULES:
            self.assertIn(reason, reasons)

    def test_sold_out_product_is_left_out_and_an_empty_cart_skipped(self):
        if "is_storable" not in self.env["product.template"]._fields or (
            "allow_out_of_stock_order" not in self.env["product.template"]._fields
        ):
            self.skipTest("needs website_sale_stock")
        self.product.write({"is_storable": True, "allow_out_of_stock_order": False})
        lamp = self._create_product("Lamp", 50.0)
        both = self._queue(products=[(self.product, 1), (lamp, 1)])
        alone = self._queue(
            self._create_customer("Bob", "bob@example.com"),
            products=[(self.product, 1)],
        )
        self._dispatch()
        self.assertEqual(both.state, "sent")
        self.assertIn("Lamp", both.body_html)
        self.assertNotIn("Blue mug", both.body_html)
        self.assertEqual((alone.state, alone.reason), ("skipped", "nothing_available"))

    # === CONTENT ===#

    def test_prices_of_today(self):
        message = self._queue()
        self.product.list_price = 33.0
        message.abandoned_cart_id.order_id._recompute_prices()
        self._dispatch()
        self.assertIn("33.00", message.body_html)
        self.assertEqual(message.abandoned_cart_id.lines[0]["price_unit"], 20.0)

    def test_hostile_customer_name(self):
        hostile = self._create_customer(
            "{{ 7*7 }}<script>alert(1)</script>", "h@example.com"
        )
        message = self._queue(hostile)
        self._dispatch()
        self.assertEqual(message.state, "sent")
        self.assertNotIn("<script", message.body_html)
        self.assertNotIn("49", message.subject)

    def test_addresses(self):
        outcome = {
            "plain@example.com": "sent",
            "user@münchen.example": "sent",
            "line\nbreak@example.com": "excluded",
            "two@example.com, three@example.com": "sent",
            "not an address": "excluded",
        }
        with RecordingSmtpServer() as server, self._use_smtp(server.port):
            for email, expected in outcome.items():
                with self.subTest(email):
                    cart = self._abandon(self._create_customer("X", email))
                    if expected == "excluded":
                        self.assertEqual(cart.exclusion_reason, "no_contact")
                        continue
                    self._process_steps()
                    self._dispatch()
                    self.assertEqual(cart.message_ids.state, expected)
        self.assertTrue(
            all(len(recipients) == 1 for _from, recipients, _body in server.messages)
        )

    def test_from_and_reply_to(self):
        message = self._queue()
        self.smtp.write(
            {
                "from_name": "The Shop",
                "from_email": "hello@example.com",
                "reply_to": "help@example.com",
            }
        )
        with RecordingSmtpServer() as server, self._use_smtp(server.port):
            self._dispatch()
        self.assertEqual(message.state, "sent")
        content = server.messages[0][2].decode()
        self.assertRegex(content, r'From: "?The Shop"? <hello@example.com>')
        self.assertIn("Reply-To: help@example.com", content)

    def test_links_are_counted_but_the_unsubscribe_link_is_not_wrapped(self):
        message = self._queue()
        self._dispatch()
        body = message.body_html
        self.assertIn(f"/marketing/click/{message.token}?u=", body)
        self.assertIn(f'href="{message._get_unsubscribe_url()}"', body)
        self.assertNotIn(f'href="{self.website.get_base_url()}/shop', body)

    def test_uncertain_message_is_settled_by_a_person(self):
        user = new_test_user(
            self.env, "mu", groups="marketing_automation.group_marketing_user"
        )
        for action, state in (
            ("action_mark_sent", "sent"),
            ("action_mark_failed", "failed"),
        ):
            with self.subTest(action):
                message = self._queue(
                    self._create_customer(state, f"{state}@example.com")
                )
                getattr(message.with_user(user), action)()
                self.assertEqual(message.state, "queued", "nothing to settle yet")
                message._set_state("sending")
                message._set_state("uncertain", "worker_lost")
                getattr(message.with_user(user), action)()
                self.assertEqual((message.state, message.reason), (state, "settled"))

    def test_action_cancel(self):
        message = self._queue()
        message.action_cancel()
        self._dispatch()
        self.assertEqual((message.state, message.reason), ("cancelled", "cancelled"))
