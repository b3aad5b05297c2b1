from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time
from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import HttpCase, TransactionCase
from odoo.tools import SQL, mute_logger

from odoo.addons.base.models.ir_mail_server import IrMail_Server

from .warm_pages import keep_pages_warm

# Seconds for an answer of the shop, which may have to compile its pages first: a
# machine can be busy.
PATIENCE = 60
# What every marketing email has to say.
FOOTER = '{% include "footer" %}'


class MarketingCase(TransactionCase):
    """Factories for carts and what becomes of them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env.company
        cls.company.email = "shop@example.com"
        # What tests of consent are not about, it does not stop.
        cls.company.consent_policy = "soft_opt_in"
        cls.website = cls.env["website"].search(
            [("company_id", "=", cls.company.id)], limit=1
        )
        cls.website.cart_recovery_enabled = True
        cls.sequence = cls.env.ref("marketing_automation.sequence_cart_emails")
        cls.smtp = cls.env.ref("marketing_automation.provider_smtp")
        cls.sandbox = cls.env.ref("marketing_automation.provider_sandbox")
        cls.product = cls._create_product("Blue mug", 20.0)
        cls.customer = cls._create_customer("Anna Smith", "anna@example.com")
        # Demo data may hold pricelists and carts of its own.
        cls.env["product.pricelist"].search([]).active = False
        cls.env["sale.order"].search(
            [("cart_activity_at", "!=", False)]
        ).cart_activity_at = False

    def setUp(self):
        super().setUp()
        if isinstance(self, HttpCase):
            keep_pages_warm(self)

    def url_open(self, *args, timeout=PATIENCE, **kwargs):
        return super().url_open(*args, timeout=timeout, **kwargs)

    def make_jsonrpc_request(self, *args, timeout=PATIENCE, **kwargs):
        return super().make_jsonrpc_request(*args, timeout=timeout, **kwargs)

    @classmethod
    def _create_product(cls, name, price, **vals):
        return cls.env["product.product"].create(
            {
                "name": name,
                "list_price": price,
                "sale_ok": True,
                "is_published": True,
                "taxes_id": False,
                **vals,
            }
        )

    @classmethod
    def _create_customer(cls, name, email, **vals):
        return cls.env["res.partner"].create({"name": name, "email": email, **vals})

    @classmethod
    def _create_cart(cls, partner=None, products=None, idle_minutes=120, **vals):
        """Create a website cart whose customer left ``idle_minutes`` ago."""
        website = cls.env["website"].browse(vals.get("website_id", cls.website.id))
        return cls.env["sale.order"].create(
            {
                "partner_id": (partner or cls.customer).id,
                "website_id": website.id,
                "company_id": website.company_id.id,
                "order_line": [
                    fields.Command.create(
                        {"product_id": product.id, "product_uom_qty": quantity}
                    )
                    for product, quantity in (products or [(cls.product, 2)])
                ],
                "cart_activity_at": fields.Datetime.now()
                - timedelta(minutes=idle_minutes),
                **vals,
            }
        )

    @classmethod
    def _create_contact_template(cls, **vals):
        """Create a template for any contact; an email unless ``channel`` says sms."""
        if "body_html" in vals:
            vals["body_html"] += FOOTER
        return cls.env["marketing.template"].create(
            {
                "name": "News",
                "context": "contact",
                "subject": "News for {{ customer.first_name }}",
                "body_html": "<p>Hello {{ customer.first_name }}</p><p>"
                '<a href="https://shop.example.com/new">New</a></p>'
                '<p><a href="{{ unsubscribe_url }}">Unsubscribe</a></p>' + FOOTER,
                **vals,
            }
        )

    @classmethod
    def _queue_to(cls, partners, template, source="test-source", **kwargs):
        """Queue a message of ``template`` for each of ``partners``."""
        cls._give_consent(partners, template.purpose, template.channel)
        messages = cls.env["marketing.message"]
        before = messages.search([], order="id desc", limit=1).id or 0
        messages._queue_partners(
            template,
            SQL("SELECT unnest(%s)", partners.ids),
            cls.company,
            f"{source}:{before}",
            **kwargs,
        )
        return messages.search([("id", ">", before)], order="id")

    @classmethod
    def _give_consent(cls, partners, purpose="offers", channel="email", **kwargs):
        """Let people agree to something."""
        field = "phone_sanitized" if channel == "sms" else "email_normalized"
        cls.env["marketing.preference"]._record(
            kwargs.pop("company", cls.company),
            channel,
            [purpose],
            partners.mapped(field),
            kwargs.pop("state", "given"),
            kwargs.pop("source", "staff"),
            **kwargs,
        )

    @classmethod
    def _detect(cls):
        """Run detection and start recoveries, as the scheduled action does."""
        cls.env["abandoned.cart"]._detect_all()

    @classmethod
    def _abandon(cls, *args, **kwargs):
        """Create a cart that was left behind and detected."""
        order = cls._create_cart(*args, **kwargs)
        cls._detect()
        return order.abandoned_cart_id

    @classmethod
    def _process_steps(cls):
        while cls.env["marketing.enrollment"]._process_due_batch():
            pass

    def _run_cron(self, name, after=None):
        """Run a scheduled action the way the scheduler does.

        :param datetime after: when it ran before; empty: not within this hour
        """
        cron = self.env.ref(f"marketing_automation.{name}")
        if name == "ir_cron_detect_carts":
            # Carts of tests were left hours ago.
            cron.lastcall = after
        # Tests with a web server are in this mode already.
        if isinstance(self, HttpCase):
            cron.method_direct_trigger()
            return
        with self.enter_registry_test_mode():
            cron.method_direct_trigger()

    def _run_all(self):
        """Detection, due steps and the dispatcher, once each."""
        for name in (
            "ir_cron_detect_carts",
            "ir_cron_process_enrollments",
            "ir_cron_dispatch",
        ):
            self._run_cron(name)

    def _shift(self, cart, **delta):
        """Let time pass for a cart: everything about it happened earlier."""
        shift = timedelta(**delta)
        cart.abandoned_at -= shift
        cart.expires_at -= shift
        cart.order_id.cart_activity_at -= shift
        for run in cart.enrollment_ids.filtered("next_at"):
            run.next_at -= shift

    def _let_reading_time_pass(self, messages):
        """Let messages have been handed over a minute earlier.

        Whoever opens a message the moment it arrives is taken for a scanner.
        """
        for message in messages:
            for field in ("sending_at", "sent_at"):
                if message[field]:
                    message[field] -= timedelta(minutes=1)

    @contextmanager
    def _at(self, moment):
        """Let it be another time, for Odoo and for the database cursor."""
        with (
            freeze_time(moment),
            patch.object(self.env.cr, "now", lambda: moment),
        ):
            yield

    def _click(self, message, **vals):
        """Record a click of the recipient, some time after the message arrived."""
        self._let_reading_time_pass(message)
        self.env["marketing.engagement"]._record(message.token, "click", **vals)

    @contextmanager
    def _use_smtp(self, port):
        """Enable SMTP through a server on 127.0.0.1 and let Odoo connect in tests."""
        self.env["ir.mail_server"].search([]).active = False
        server = self.env["ir.mail_server"].create(
            {"name": "local", "smtp_host": "127.0.0.1", "smtp_port": port}
        )
        self.smtp.write({"mail_server_id": server.id, "state": "enabled"})
        with patch.object(IrMail_Server, "_disable_send", lambda _self: False):
            yield server

    def _assert_error(self, function):
        """A clear error, of Odoo or of the database, and nothing is changed."""
        try:
            with mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                function()
        except (IntegrityError, UserError):
            self.env.invalidate_all()
        else:
            self.fail("no error")
