"""What people answer: who stops the messages, and who has to read the rest."""

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import BaseCase, new_test_user, tagged

from ..providers.base import DeliveryEvent
from ..providers.twilio_webhook import Form, read_events
from ..tools import objections
from .common import MarketingCase
from .reply_words import CLEAR, CLEAR_BY_SMS, MAYBE, NOTHING, UNCLEAR, UNCLEAR_BY_SMS


@tagged("-at_install", "post_install")
class TestObjections(BaseCase):
    def test_requests(self):
        for texts, is_sms, expected in (
            (CLEAR, False, "stop"),
            (CLEAR, True, "stop"),
            (CLEAR_BY_SMS, True, "stop"),
            (UNCLEAR, False, ""),
            (UNCLEAR_BY_SMS, True, ""),
            (NOTHING, True, ""),
        ):
            for text in texts:
                with self.subTest(text=text, is_sms=is_sms):
                    self.assertEqual(objections.read_request(text, is_sms), expected)

    def test_other_keywords(self):
        for text, expected in (("START", "start"), ("yes", "start"), ("Help!", "help")):
            self.assertEqual(objections.read_request(text, True), expected)
        # Who says more than the word asks for something else.
        self.assertEqual(objections.read_request("Yes\nsend me the mug", True), "")

    def test_what_may_be_one(self):
        for text in MAYBE:
            self.assertTrue(objections.may_be_objection(text), text)
        for text in NOTHING:
            self.assertFalse(objections.may_be_objection(text), text)

    def test_by_text_message(self):
        """Where Twilio keeps opt-outs itself, its answer decides."""
        for body, more, kind in (
            ("Please stop texting me", {}, "unsubscribe"),
            ("Stop. Thank you", {}, "unsubscribe"),
            ("UNSUBSCRIBE\nSent from my phone", {}, "unsubscribe"),
            ("Who is this?", {}, "reply"),
            ("I'm driving with Do Not Disturb turned on", {}, ""),
            ("STOP", {"OptOutType": ["HELP"]}, "reply"),
            ("hello", {"OptOutType": ["STOP"]}, "unsubscribe"),
        ):
            form = Form({"MessageSid": ["SM9"], "Body": [body], **more})
            form["From"] = ["+36301234567"]
            events = read_events(form, "")
            if not kind:
                self.assertEqual(events, [])
                continue
            (event,) = events
            self.assertEqual((event.kind, event.text), (kind, body))
            self.assertEqual(event.suppress, kind == "unsubscribe")


@tagged("-at_install", "post_install")
class TestReplies(MarketingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["mail.blacklist"].search([]).active = False
        cls.env["phone.blacklist"].search([]).active = False
        cls.manager, cls.user = (
            new_test_user(
                cls.env, login, groups=f"marketing_automation.group_marketing_{login}"
            )
            for login in ("manager", "user")
        )
        cls.customer.phone = "+36301234567"
        template = cls._create_contact_template(channel="sms", body_sms="Hi")
        cls.sms = cls._queue_to(cls.customer, template)
        cls.sms._set_state("sending")
        cls.sms._set_state("sent", provider_id=cls.sandbox.id)
        cls.replies = cls.env["marketing.reply"]

    def _answer(self, text, kind="reply", key="SM1", address="+36301234567"):
        event = DeliveryEvent(
            kind,
            fields.Datetime.now(),
            address=address,
            external_id=key,
            text=text,
            suppress=kind == "unsubscribe",
        )
        before = self.replies.search([])
        self.env["marketing.message"]._apply_events([event], self.sandbox)
        return self.replies.search([]) - before

    def _find_notices(self):
        return self.env["mail.message"].search(
            [("subject", "=", "A reply may be an objection")]
        )

    def _get_notified(self):
        return self._find_notices().notified_partner_ids

    def test_something_else(self):
        reply = self._answer("Do you have it in red?")
        self.assertEqual((reply.kind, reply.state), ("other", "new"))
        self.assertEqual(reply.text, "Do you have it in red?")
        self.assertEqual(reply.partner_id, self.customer)
        self.assertEqual(reply.message_id, self.sms)
        self.assertEqual((reply.channel, reply.address), ("sms", "+36301234567"))
        self.assertEqual(reply.company_id, self.company)
        self.assertFalse(self._get_notified())
        # However often it is reported.
        self.assertFalse(self._answer("Do you have it in red?"))

    def test_unsubscribed(self):
        reply = self._answer("Stop. Thank you", "unsubscribe")
        self.assertEqual((reply.kind, reply.state), ("unsubscribed", "handled"))
        self.assertFalse(self._get_notified())
        self.assertTrue(self.env["phone.blacklist"].search([]))

    def test_somebody_is_told_of_an_objection(self):
        self.sandbox.user_id = self.manager
        self.manager.company_ids |= self.company
        reply = self._answer("How did you get my number?")
        self.assertEqual((reply.kind, reply.state), ("objection", "new"))
        self.assertEqual(self._get_notified(), self.manager.partner_id)
        again = self._answer("Who is this, please?", key="SM2")
        self.assertEqual(again.kind, "objection")
        self.assertEqual(len(self._find_notices()), 1, "told once of a person")
        reply.with_user(self.manager).action_handle()
        self.assertEqual(reply.state, "handled")
        self.assertEqual(reply.handled_by_id, self.manager)
        reply.with_user(self.manager).action_reopen()
        self.assertEqual((reply.state, reply.handled_by_id.id), ("new", False))

    def test_whom_nobody_knows(self):
        reply = self._answer("Wrong number", address="+36309999999")
        self.assertFalse(reply.message_id)
        self.assertEqual(reply.address, "+36309999999")

    def test_record_objection(self):
        reply = self._answer("I am not interested")
        action = reply.with_user(self.manager).action_record_objection()
        dialog = (
            self.env[action["res_model"]]
            .with_user(self.manager)
            .with_context(**action["context"])
            .create({"purpose": "all"})
        )
        self.assertEqual(dialog.text, "I am not interested")
        dialog.action_record()
        self.assertTrue(reply.is_objection)
        self.assertEqual(reply.state, "handled")
        preferences = self.env["marketing.preference"].search(
            [("address", "=", "+36301234567")]
        )
        self.assertEqual(set(preferences.mapped("state")), {"withdrawn"})
        self.assertEqual(set(preferences.mapped("source")), {"reply"})
        log = preferences._get_log()
        self.assertIn("I am not interested", log.text_id[:1].text)
        self.assertEqual(
            self.env["phone.blacklist"].search([]).mapped("number"), ["+36301234567"]
        )
        self.assertFalse(self.env["mail.blacklist"].search([]))

    def test_record_objection_to_one_thing(self):
        reply = self._answer("Enough of your offers")
        dialogs = self.env["marketing.record.objection"].with_user(self.manager)
        dialogs.create(
            {"reply_id": reply.id, "channel": "all", "purpose": "offers"}
        ).action_record()
        found = self.env["marketing.preference"].search(
            [("purpose", "=", "offers"), ("state", "=", "withdrawn")]
        )
        addresses = {"+36301234567", "anna@example.com"}
        self.assertEqual(set(found.mapped("address")), addresses)
        self.assertFalse(self.env["phone.blacklist"].search([]))

    def test_no_address_on_the_channel(self):
        reply = self._answer("Wrong number", address="+36309999999")
        dialogs = self.env["marketing.record.objection"].with_user(self.manager)
        with self.assertRaises(UserError):
            dialogs.create({"reply_id": reply.id, "channel": "email"}).action_record()

    def test_users_read(self):
        reply = self._answer("Who is this?").with_user(self.user)
        self.assertEqual(reply.text, "Who is this?")
        for action in ("action_handle", "action_reopen", "action_record_objection"):
            with self.assertRaises(AccessError):
                getattr(reply, action)()
        with self.assertRaises(AccessError):
            reply.write({"state": "handled"})

    def test_links_of_the_recipient_are_not_shown(self):
        token = "0123456789abcdef" * 2
        reply = self._answer(f"Why? https://a.example/marketing/unsubscribe/{token}")
        self.assertEqual(
            reply.text, "Why? https://a.example/marketing/unsubscribe/preview"
        )

    def test_those_from_before(self):
        self.env["marketing.engagement"]._record_events(
            [
                {
                    "message_id": self.sms.id,
                    "kind": "reply",
                    "occurred_at": fields.Datetime.now(),
                    "detail": "Take your spam elsewhere",
                    "external_id": "SM7",
                    "provider_id": self.sandbox.id,
                }
            ]
        )
        for _repetition in range(2):
            self.replies._adopt(31)
            reply = self.replies.search([])
            self.assertEqual((reply.kind, reply.state), ("objection", "new"))
            self.assertEqual(reply.text, "Take your spam elsewhere")
