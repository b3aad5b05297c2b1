import base64
import json
import time
from urllib.parse import urlencode

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from twilio.request_validator import RequestValidator

from odoo.tests import tagged
from odoo.tools import file_open

from .http_common import MarketingHttpCase

AUTH_TOKEN = "0123456789abcdef0123456789abcdef"


@tagged("post_install", "-at_install")
class TestWebhook(MarketingHttpCase):
    """What providers report, over real HTTP."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.key = ec.generate_private_key(ec.SECP256R1())
        public = cls.key.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )
        cls.sendgrid = cls.env["marketing.provider"].create(
            {
                "name": "SendGrid",
                "kind": "sendgrid",
                "sendgrid_api_key": "SG.x",
                "sendgrid_webhook_key": base64.b64encode(public).decode(),
            }
        )
        cls.twilio = cls.env["marketing.provider"].create(
            {
                "name": "Twilio",
                "kind": "twilio",
                "twilio_account_sid": "AC1",
                "twilio_auth_token": AUTH_TOKEN,
                "twilio_sender": "+15005550006",
            }
        )
        template = cls._create_contact_template()
        cls.anna = cls._create_customer(
            "Anna Berg", "anna.berg@example.com", phone="+36 30 123 4567"
        )
        cls.message = cls._sent(template, cls.sendgrid)
        cls.sms = cls._sent(
            cls._create_contact_template(channel="sms", body_sms="Hi"), cls.twilio
        )
        cls.sms.message_ref = "SM1"

    @classmethod
    def _sent(cls, template, provider):
        message = cls._queue_to(cls.anna, template)
        message.provider_id = provider
        message._set_state("sending")
        message._set_state("sent")
        return message

    def _post(self, path, body, headers):
        response = self.url_open(path, data=body, headers=headers)
        self.env.invalidate_all()
        return response

    # === SENDGRID ===#

    def _events(self, *events):
        return json.dumps(
            [
                {
                    "email": "anna.berg@example.com",
                    "timestamp": int(time.time()),
                    "message": self.message._get_key(),
                    "sg_event_id": f"id-{event['event']}",
                    **event,
                }
                for event in events
            ]
        ).encode()

    def _post_sendgrid(self, body, signed=None, token=None):
        timestamp = str(int(time.time()))
        signature = self.key.sign(
            timestamp.encode() + (signed or body), ec.ECDSA(hashes.SHA256())
        )
        return self._post(
            f"/marketing/webhook/{token or self.sendgrid.webhook_token}",
            body,
            {
                "Content-Type": "application/json",
                "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(
                    signature
                ).decode(),
                "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
            },
        )

    def test_signed_events_are_taken_in(self):
        response = self._post_sendgrid(
            self._events(
                {"event": "click", "url": "https://shop.example.com/new"},
                {"event": "delivered"},
                {"event": "spamreport"},
            )
        )
        self.assertEqual(response.status_code, 204)
        self.assertFalse(self._cookies(response))
        self.assertEqual(self.message.state, "delivered")
        self.assertEqual(
            sorted(self.message.engagement_ids.mapped("kind")), ["click", "complaint"]
        )
        self.assertTrue(
            self.env["mail.blacklist"].search(
                [("email", "=", self.message.email_normalized)]
            )
        )

    def test_repeated_batches_count_once(self):
        body = self._events({"event": "delivered"}, {"event": "click", "url": "x"})
        for _repetition in range(3):
            self.assertEqual(self._post_sendgrid(body).status_code, 204)
        self.assertEqual(len(self.message.engagement_ids), 1)
        states = [entry["state"] for entry in self.message.history]
        self.assertEqual(states.count("delivered"), 1)

    def test_unsigned_forged_and_unknown_get_the_same_answer(self):
        body = self._events({"event": "bounce", "type": "bounce"})
        path = f"/marketing/webhook/{self.sendgrid.webhook_token}"
        answers = [
            self._post(path, body, {"Content-Type": "application/json"}),
            self._post_sendgrid(body, signed=body + b" "),
            self._post_sendgrid(body, token="0" * 32),
            self._post_sendgrid(body, token="x"),
            self._post_sendgrid(body, token="%00"),
        ]
        self.assertEqual({answer.status_code for answer in answers}, {403})
        self.assertEqual(self.message.state, "sent")

    def test_closed_without_verification_key(self):
        self.sendgrid.sendgrid_webhook_key = False
        body = self._events({"event": "delivered"})
        self.assertEqual(self._post_sendgrid(body).status_code, 403)
        self.assertEqual(self.message.state, "sent")

    def test_closed_in_a_copy_of_the_database(self):
        token = self.sendgrid.webhook_token
        self.env.flush_all()
        with file_open("marketing_automation/data/neutralize.sql") as script:
            self.env.cr.execute(script.read())
        self.env.invalidate_all()
        body = self._events({"event": "delivered"})
        self.assertEqual(self._post_sendgrid(body, token=token).status_code, 403)
        self.assertFalse(self.sendgrid.sendgrid_api_key)
        self.assertFalse(self.twilio.twilio_auth_token)

    def test_get_is_not_answered(self):
        path = f"/marketing/webhook/{self.sendgrid.webhook_token}"
        self.assertIn(self.url_open(path).status_code, (404, 405))

    # === TWILIO ===#

    def _post_twilio(self, form, query="", auth_token=AUTH_TOKEN):
        path = f"/marketing/webhook/{self.twilio.webhook_token}{query}"
        url = f"{self.base_url()}{path}"
        signature = RequestValidator(auth_token).compute_signature(url, form)
        return self._post(
            path,
            urlencode(form),
            {
                "Content-Type": "application/x-www-form-urlencoded",
                "X-Twilio-Signature": signature,
            },
        )

    def test_status_callback(self):
        form = {"MessageSid": "SM1", "MessageStatus": "delivered"}
        query = f"?m={self.sms._get_key()}"
        self.assertEqual(self._post_twilio(form, query).status_code, 204)
        self.assertEqual(self.sms.state, "delivered")

    def test_status_by_the_providers_reference(self):
        form = {
            "MessageSid": "SM1",
            "MessageStatus": "undelivered",
            "ErrorCode": "30005",
        }
        self.assertEqual(self._post_twilio(form).status_code, 204)
        self.assertEqual((self.sms.state, self.sms.reason), ("bounced", "bounced_hard"))
        self.assertTrue(
            self.env["phone.blacklist"].search([("number", "=", "+36301234567")])
        )

    def test_stop_by_text_message(self):
        waiting = self._queue_to(self.anna, self.sms.template_id)
        form = {
            "MessageSid": "SM9",
            "From": "+36301234567",
            "To": "+15005550006",
            "Body": "Stop",
        }
        self.assertEqual(self._post_twilio(form).status_code, 204)
        number = self.env["phone.blacklist"].search([("number", "=", "+36301234567")])
        self.assertTrue(number)
        self.assertEqual((waiting.state, waiting.reason), ("cancelled", "opted_out"))
        self.assertEqual(self.sms.engagement_ids.mapped("kind"), ["unsubscribe"])
        self.assertFalse(
            self.env["mail.blacklist"].search([("email", "=", "anna.berg@example.com")])
        )
        self._post_twilio({**form, "MessageSid": "SM10", "Body": "START"})
        self.assertFalse(number.active)

    def test_reply_by_text_message_is_kept(self):
        form = {
            "MessageSid": "SM9",
            "From": "+36301234567",
            "To": "+15005550006",
            "Body": "When will it arrive?",
        }
        for _repetition in range(2):
            self.assertEqual(self._post_twilio(form).status_code, 204)
        self.assertEqual(self.sms.engagement_ids.mapped("kind"), ["reply"])
        self.assertEqual(self.sms.engagement_ids.detail, "When will it arrive?")

    def test_false_signature(self):
        form = {"MessageSid": "SM1", "MessageStatus": "delivered"}
        answer = self._post_twilio(form, auth_token="another")
        self.assertEqual(answer.status_code, 403)
        self.assertEqual(self.sms.state, "sent")
