import re
from inspect import getmembers, isfunction

from psycopg2 import IntegrityError

from odoo import fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.http import Controller
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..providers.base import DeliveryEvent
from .common import MarketingCase
from .http_common import MarketingHttpCase
from .world import (
    GROUP_MANAGER,
    create_other_shop,
    create_recovered_cart,
    create_users,
)

ADDON = "marketing_automation"
OPERATIONS = ("read", "write", "create", "unlink")

# What each role may do: r(ead), w(rite), c(reate), u(nlink). Public, portal and
# employees without a role of ours may do nothing at all.
NOBODY = {"public": "", "portal": "", "employee": ""}
READ_ONLY = {**NOBODY, "user": "r", "manager": "r", "admin": "r"}
EDITED_BY_MANAGERS = {**NOBODY, "user": "r", "manager": "rwcu", "admin": "rwcu"}
EDITED_BY_ADMINS = {**NOBODY, "user": "r", "manager": "r", "admin": "rwcu"}
SEEN_BY_ADMINS = {**NOBODY, "user": "", "manager": "", "admin": "r"}
MODELS = {
    "ab.test": EDITED_BY_MANAGERS,
    "ab.test.variant": EDITED_BY_MANAGERS,
    "abandoned.cart": READ_ONLY,
    "campaign.daily.stats": READ_ONLY,
    "email.campaign": EDITED_BY_MANAGERS,
    "email.deliverability.stats": READ_ONLY,
    "marketing.sequence": EDITED_BY_MANAGERS,
    "marketing.sequence.step": EDITED_BY_MANAGERS,
    "marketing.sequence.condition": EDITED_BY_MANAGERS,
    "marketing.sequence.version": READ_ONLY,
    "marketing.enrollment": READ_ONLY,
    "marketing.coupon": EDITED_BY_MANAGERS,
    "marketing.coupon.card": READ_ONLY,
    "marketing.coupon.tier": EDITED_BY_MANAGERS,
    "marketing.template": EDITED_BY_MANAGERS,
    "marketing.message": READ_ONLY,
    "marketing.opt.in": READ_ONLY,
    "marketing.decision": READ_ONLY,
    "marketing.provider": EDITED_BY_ADMINS,
    "marketing.engagement": READ_ONLY,
    "marketing.reply": READ_ONLY,
    "marketing.short.link": READ_ONLY,
    "marketing.content": SEEN_BY_ADMINS,
    "marketing.customer.change": READ_ONLY,
    "marketing.customer.metrics": READ_ONLY,
    "marketing.metrics.task": READ_ONLY,
    "marketing.daily.figure": READ_ONLY,
    "marketing.daily.change": READ_ONLY,
    "marketing.provider.usage": READ_ONLY,
    "marketing.provider.throttle": EDITED_BY_ADMINS,
    "marketing.preference": READ_ONLY,
    "marketing.recipient": READ_ONLY,
    "marketing.code.attempt": READ_ONLY,
    "marketing.consent.log": READ_ONLY,
    "marketing.consent.text": READ_ONLY,
    "marketing.suppression": READ_ONLY,
    "marketing.rfm.threshold": READ_ONLY,
    "customer.segment": EDITED_BY_MANAGERS,
    "customer.segment.condition": EDITED_BY_MANAGERS,
    "segment.membership": READ_ONLY,
    "segment.membership.event": READ_ONLY,
    "segment.size": READ_ONLY,
}
SEEN_BY_USERS = {name for name, rights in MODELS.items() if "r" in rights["user"]}
# Dialogs that a manager fills in; nobody reads those of others.
WIZARDS = dict.fromkeys(
    (
        "customer.segment.add",
        "customer.segment.import",
        "email.campaign.schedule",
        "email.campaign.test",
        "marketing.message.send.again",
        "marketing.privacy.wizard",
        "marketing.record.consent",
        "marketing.record.objection",
        "marketing.sequence.replay",
    ),
    {**NOBODY, "user": "", "manager": "rwc", "admin": "rwc"},
) | dict.fromkeys(
    ("marketing.sequence.replay.line", "marketing.sequence.replay.step"),
    {**NOBODY, "user": "", "manager": "r", "admin": "r"},
)
# These may belong to all companies.
SHARED_MODELS = {
    "marketing.sequence",
    "marketing.sequence.step",
    "marketing.sequence.condition",
    "marketing.sequence.version",
    "marketing.coupon",
    "marketing.coupon.tier",
    "marketing.template",
    "marketing.provider",
}
# These belong to none: addresses that nobody writes to, wordings.
GLOBAL_MODELS = {
    "marketing.code.attempt",
    "marketing.consent.text",
    "marketing.suppression",
}
SECRETS = {
    "ab.test": {"secret"},
    "abandoned.cart": {"token"},
    "marketing.message": {"token", "content_values"},
    "marketing.opt.in": {"token"},
    "marketing.provider": {
        "mail_server_id",
        "sendgrid_api_key",
        "sendgrid_webhook_key",
        "twilio_account_sid",
        "twilio_auth_token",
        "twilio_sender",
        "twilio_messaging_service_sid",
        "webhook_token",
        "webhook_url",
        "base_url",
    },
    "marketing.short.link": {"code", "url"},
    "marketing.content": {"html", "text"},
}
# What these bring along is listed once, not for all that have it.
MIXINS = ("mail.thread", "marketing.guard", "marketing.shared")
# Everything anybody may call from outside, by the class that defines it.
PUBLIC_METHODS = {
    "marketing.guard": {"create", "onchange", "write"},
    "marketing.shared": {"action_duplicate_for_company", "copy_data", "default_get"},
    "ab.test": {"default_get", "write"},
    "ab.test.variant": {"action_send_to_rest", "create", "write"},
    "customer.segment": {
        "action_add_contacts",
        "action_import",
        "action_refresh",
        "action_view_events",
        "action_view_members",
        "add_contacts",
        "copy_data",
        "get_preview",
        "get_reach",
        "preview",
        "remove_contacts",
        "set_criteria",
        "unlink",
        "write",
    },
    "customer.segment.add": {"action_add"},
    "customer.segment.condition": {"create", "unlink", "write"},
    "customer.segment.import": {
        "action_download_report",
        "action_import",
        "action_view_members",
    },
    "abandoned.cart": {
        "action_detect_now",
        "action_mark_person",
        "action_open_order",
        "action_stop_recovery",
        "action_view_messages",
    },
    "account.move": {"write"},
    "campaign.daily.stats": {"action_open_campaign"},
    "email.campaign": {
        "action_ab_test",
        "action_cancel",
        "action_confirm",
        "action_draft",
        "action_finish",
        "action_next_step",
        "action_pause",
        "action_previous_step",
        "action_refresh_figures",
        "action_resume",
        "action_schedule",
        "action_send_late",
        "action_send_test",
        "action_view_days",
        "action_view_orders",
        "action_view_recipients",
        "action_view_runs",
        "copy_data",
        "write",
    },
    "email.campaign.schedule": {"action_apply"},
    "email.campaign.test": {"action_send"},
    "mail.blacklist": {"create", "write"},
    "marketing.blacklist": {"create", "write"},
    "marketing.coupon": {"action_view_cards", "copy_data", "write"},
    "marketing.coupon.card": {"action_open_cart", "action_withdraw"},
    "marketing.enrollment": {"action_stop"},
    "marketing.message.send.again": {"action_send_again"},
    "marketing.message": {
        "action_ask_send_again",
        "action_cancel",
        "action_mark_failed",
        "action_mark_sent",
        "action_open_as_recipient",
        "action_open_cart",
        "action_send_late",
        "action_simulate_bounced",
        "action_simulate_clicked",
        "action_simulate_complained",
        "action_simulate_delivered",
        "action_simulate_opened",
        "action_simulate_stop",
        "action_simulate_undelivered",
        "action_simulate_unsubscribed",
    },
    "marketing.customer.metrics": {"action_open_customer", "action_view_thresholds"},
    "marketing.daily.change": {"init"},
    "marketing.dashboard": {"get_data", "get_holdout", "get_records"},
    "marketing.decision": {"action_open"},
    "marketing.provider": {
        "action_check_domain",
        "action_disable",
        "action_enable",
        "action_test_connection",
        "action_view_messages",
        "action_view_usage",
        "create",
        "write",
    },
    "marketing.provider.throttle": {"create", "write"},
    # Odoo's own name for it; adds nothing that may be called.
    "mail.thread": {"message_route"},
    "mailing.subscription": {"create", "write"},
    "marketing.preference": {"action_view_log"},
    "marketing.privacy.wizard": {"action_export", "action_forget"},
    # Odoo's own, extended: deletes as its user may.
    "privacy.lookup.wizard.line": {"action_unlink"},
    "marketing.record.consent": {"action_record"},
    "marketing.record.objection": {"action_record"},
    "marketing.reply": {
        "action_handle",
        "action_open_contact",
        "action_open_message",
        "action_record_objection",
        "action_reopen",
    },
    "marketing.consent.log": {"init", "write"},
    "marketing.consent.text": {"write"},
    "payment.transaction": {"create"},
    "phone.blacklist": {"create", "write"},
    "marketing.sequence": {
        "action_replay",
        "action_view_enrollments",
        "action_view_messages",
        "create",
        "get_figures",
        "write",
    },
    "marketing.sequence.condition": {"create", "unlink", "write"},
    "marketing.sequence.replay": {"action_run", "action_view_people"},
    "marketing.sequence.replay.line": {"action_open"},
    "marketing.sequence.replay.step": {"action_view_people"},
    "marketing.sequence.step": {"create", "unlink", "write"},
    "marketing.sequence.version": {"action_restore"},
    "marketing.template": {
        "action_make_own",
        "action_send_test",
        "build_block",
        "copy_data",
        "find_recipients",
        "get_preview",
        "get_studio",
    },
    "res.config.settings": {
        "action_edit_consent_texts",
        "action_edit_typed_contact_notice",
        "action_open_marketing_providers",
    },
    "res.partner": {
        "action_view_marketing_carts",
        "action_view_marketing_consent",
        "action_view_marketing_decisions",
        "action_view_marketing_segments",
        "unlink",
    },
    "segment.membership": {"action_open_contact", "action_remove"},
    # Odoo's own; keeps figures from pointing at what is gone.
    "product.public.category": {"unlink"},
    "sale.order": {"action_confirm", "create", "write"},
    "website": {"create", "write"},
}


@tagged("post_install", "-at_install")
class TestSecurity(MarketingCase):
    """Every model, field and button, as everybody."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = create_users(cls)
        cls.company_b, cls.website_b = create_other_shop(cls)
        cls.users["manager of B"] = new_test_user(
            cls.env,
            "ma_manager_b",
            groups=GROUP_MANAGER,
            company_id=cls.company_b.id,
            company_ids=[Command.set(cls.company_b.ids)],
        )
        cls.cart = create_recovered_cart(cls, "anna@example.com")
        cls.cart_b = create_recovered_cart(
            cls, "bea@example.com", website_id=cls.website_b.id
        )
        cls.open_cart = cls._abandon(cls._create_customer("Bo", "bo@example.com"))
        cls._process_steps()
        for cart in (cls.cart, cls.cart_b):
            cls._create_short_link(cart.message_ids)
            cls._create_card(cart)
        cls.smtp.throttle_ids = [Command.create({"domain": "example.com"})]
        cls.sequence.step_ids[-1].condition_ids = [Command.create({"kind": "clicked"})]
        for company in (cls.company, cls.company_b):
            cls._create_segment(company)
            cls._create_ab_test(company)
        cls.env["marketing.provider.usage"]._lock(cls.smtp)
        cls._record_consent(cls.company)
        cls._create_opt_in(cls.company)
        cls._record_wishes(cls.company)
        cls.env["marketing.suppression"]._add(["forgotten@example.com"])
        cls.env["marketing.code.attempt"].create(
            {"client": "0" * 64, "hour": "2026-01-01 00:00:00", "count": 1}
        )
        cls._create_facts()
        cls._create_reply(cls.cart.message_ids[0])
        cls.env.flush_all()
        cls.env.invalidate_all()

    def _our_models(self):
        """Return the names of every model the addon brings along."""
        return {
            name
            for name, model in self.registry.items()
            if model._original_module == ADDON and not model._abstract
        }

    def _as(self, role, records):
        return records.with_user(self.users[role])

    def _owned_by(self, company, model):
        """Return records of a model that belong to one company alone."""
        shop = {self.company: self.cart, self.company_b: self.cart_b}[company]
        own = {
            "ab.test": lambda: self._create_ab_test(company),
            "ab.test.variant": lambda: self._create_ab_test(company).variant_ids,
            "abandoned.cart": lambda: shop,
            "marketing.enrollment": lambda: shop.enrollment_ids,
            "marketing.message": lambda: shop.message_ids,
            "marketing.opt.in": lambda: self._create_opt_in(company),
            "marketing.decision": lambda: self.env["marketing.decision"].search(
                [("message_id", "in", shop.message_ids.ids)]
            ),
            "marketing.engagement": lambda: shop.message_ids.engagement_ids,
            "marketing.short.link": lambda: self._create_short_link(shop.message_ids),
            "marketing.reply": lambda: self._create_reply(shop.message_ids[0]),
            "marketing.content": lambda: shop.message_ids.content_id,
            **dict.fromkeys(
                (
                    *("marketing.customer.change", "marketing.customer.metrics"),
                    *("marketing.metrics.task", "marketing.rfm.threshold"),
                    *("marketing.daily.figure", "marketing.daily.change"),
                    *("campaign.daily.stats", "email.deliverability.stats"),
                ),
                lambda: self.env[model].search([("company_id", "=", company.id)]),
            ),
            "marketing.provider.usage": lambda: self._create_limits(company)[0],
            "marketing.provider.throttle": lambda: self._create_limits(company)[1],
            "marketing.sequence": lambda: self._create_sequence(company),
            "marketing.sequence.step": lambda: self._create_sequence(company).step_ids,
            "marketing.sequence.condition": lambda: (
                self._create_sequence(company).step_ids.condition_ids
            ),
            "marketing.sequence.version": lambda: (
                self._create_sequence(company).version_ids
            ),
            "marketing.coupon": lambda: self._create_coupon(company),
            "marketing.coupon.tier": lambda: self._create_coupon(company).tier_ids,
            "marketing.coupon.card": lambda: self._create_card(shop),
            "marketing.template": lambda: self._create_template(company),
            "marketing.provider": lambda: self.env["marketing.provider"].create(
                {"name": "Own", "company_id": company.id}
            ),
            "marketing.preference": lambda: self._record_consent(company),
            "marketing.recipient": lambda: self._record_wishes(company),
            "marketing.consent.log": lambda: self._record_consent(company)._get_log(),
            "marketing.consent.text": lambda: (
                self._record_consent(company)._get_log().text_id
            ),
            "marketing.code.attempt": lambda: self.env[model].search([]),
            "marketing.suppression": lambda: self.env["marketing.suppression"]._add(
                ["forgotten@example.com"]
            ),
            "email.campaign": lambda: self._create_campaign(company),
            "customer.segment": lambda: self._create_segment(company),
            "customer.segment.condition": lambda: (
                self._create_segment(company).condition_ids.child_ids
            ),
            **dict.fromkeys(
                ("segment.membership", "segment.membership.event", "segment.size"),
                lambda: self.env[model].search(
                    [("segment_id", "=", self._create_segment(company).id)]
                ),
            ),
        }[model]()
        self.assertTrue(own, model)
        return own

    @classmethod
    def _create_reply(cls, message):
        """Return an answer to a message."""
        replies = cls.env["marketing.reply"]
        replies._keep(
            [(DeliveryEvent("reply", message.create_date, text="Why?"), message)],
            message.provider_id,
        )
        return replies.search([("message_id", "=", message.id)])

    @classmethod
    def _create_segment(cls, company):
        """Return a segment that has a condition within a group, and members."""
        contact = {"field": "email", "operator": "=", "value": "anna@example.com"}
        segment = cls.env["customer.segment"].create(
            {"name": "Owned", "company_id": company.id}
        )
        segment.set_criteria({"conditions": [{"conditions": [contact]}]})
        segment.action_refresh()
        return segment

    @classmethod
    def _create_campaign(cls, company):
        return cls.env["email.campaign"].create(
            {"name": "Owned", "company_id": company.id}
        )

    @classmethod
    def _create_ab_test(cls, company):
        return cls.env["ab.test"].create(
            {"campaign_id": cls._create_campaign(company).id}
        )

    @classmethod
    def _record_wishes(cls, company):
        return cls.env["marketing.recipient"]._set_wishes(
            company, ["owned@example.com"], frequency="weekly"
        )

    @classmethod
    def _record_consent(cls, company):
        preferences = cls.env["marketing.preference"]
        preferences._record(
            company,
            "email",
            ["offers"],
            ["owned@example.com"],
            "given",
            "staff",
            text="Yes, please.",
        )
        return preferences.search(
            [("company_id", "=", company.id), ("address", "=", "owned@example.com")]
        )

    @classmethod
    def _create_opt_in(cls, company):
        requests = cls.env["marketing.opt.in"]
        requests._request(company, "zoe@example.com", ["offers"], "checkout")
        return requests.search([("company_id", "=", company.id)], limit=1)

    def _create_limits(self, company):
        """Return the use and a throttle of an account of one company."""
        provider = self.env["marketing.provider"].create(
            {
                "name": "Limited",
                "company_id": company.id,
                "throttle_ids": [Command.create({"domain": "example.com"})],
            }
        )
        self.env["marketing.provider.usage"]._lock(provider)
        return provider.usage_ids[0], provider.throttle_ids

    @classmethod
    def _create_facts(cls):
        """Write figures of the customers of both companies, and what they come from."""
        cls.env["marketing.customer.metrics"]._refresh_all()
        cls.env["marketing.daily.figure"]._refresh_batch()
        # Stored figures of some days, and days that are to be counted anew.
        cls.cart.returned_at = cls.cart_b.returned_at = fields.Datetime.now()
        day = {"day": fields.Date.today()}
        for company in cls.company | cls.company_b:
            cls.env["campaign.daily.stats"].create(
                {
                    "campaign_id": cls._create_campaign(company).id,
                    "company_id": company.id,
                    **day,
                }
            )
            cls.env["email.deliverability.stats"].create(
                {"domain": "example.com", "company_id": company.id, **day}
            )
            cls.env["marketing.metrics.task"].create(
                {
                    "company_id": company.id,
                    "first_partner_id": cls.customer.id,
                    "last_partner_id": cls.customer.id,
                }
            )
            cls.env["marketing.rfm.threshold"].search(
                [("company_id", "=", company.id)]
            ).unlink()
            cls.env["marketing.rfm.threshold"].create(
                {"company_id": company.id, "score": 2}
            )

    @classmethod
    def _create_short_link(cls, message):
        links = cls.env["marketing.short.link"]
        links._shorten([(message.id, "https://shop.example.com")])
        return links.search([("message_id", "=", message.id)])

    def _create_coupon(self, company):
        return self.env["marketing.coupon"].create(
            {
                "name": "C",
                "company_id": company.id,
                "kind": "tiered",
                "tier_ids": [Command.create({"amount_from": 0, "percent": 5})],
            }
        )

    @classmethod
    def _create_card(cls, cart):
        """Return the coupon of a cart, as those who have no rights on cards see it."""
        message = cart.message_ids[:1]
        if not message.coupon_card_id:
            message.step_id.write(
                {
                    "coupon_use": "new",
                    "coupon_id": cls.env.ref("marketing_automation.coupon_tiered").id,
                }
            )
            cls.env["marketing.coupon"]._issue_for(message)
            message.step_id.write({"coupon_use": "none", "coupon_id": False})
            cls.env.flush_all()
        return cls.env["marketing.coupon.card"].browse(message.coupon_card_id.id)

    def _create_template(self, company=None):
        return self.env["marketing.template"].create(
            {
                "name": "T",
                "subject": "S",
                "company_id": company.id if company else False,
            }
        )

    def _create_sequence(self, company=None):
        return self.env["marketing.sequence"].create(
            {
                "name": "S",
                "company_id": company.id if company else False,
                "step_ids": [
                    Command.create(
                        {
                            "name": "1",
                            "template_id": self._create_template(company).id,
                            "condition_ids": [Command.create({"kind": "clicked"})],
                        }
                    )
                ],
            }
        )

    # === MODELS ===#

    def test_every_model_is_expected(self):
        """A model without a line in the table above is a model nobody thought of."""
        self.assertEqual(self._our_models(), {*MODELS, *WIZARDS})

    def test_every_model_has_a_rule_for_companies(self):
        rules = self.env["ir.rule"].search([("groups", "=", False)])
        self.assertLessEqual(
            {*MODELS, *WIZARDS} - GLOBAL_MODELS, set(rules.model_id.mapped("model"))
        )

    def test_no_access_for_everybody(self):
        accesses = self.env["ir.model.access"].search(
            [("model_id.model", "in", list(MODELS)), ("group_id", "=", False)]
        )
        self.assertFalse(accesses.mapped("name"))

    def test_operations_by_role(self):
        for model, expected in {**MODELS, **WIZARDS}.items():
            for role, allowed in expected.items():
                records = self._as(role, self.env[model])
                actual = "".join(
                    operation[0]
                    for operation in OPERATIONS
                    if records.has_access(operation)
                )
                with self.subTest(model=model, role=role):
                    self.assertEqual(actual, allowed)

    def test_operations_really_done(self):
        """Not the table of rights is asked here, but the operations."""
        for model, expected in MODELS.items():
            record = self._owned_by(self.company, model)[0]
            if model in SHARED_MODELS and expected is not READ_ONLY:
                record = record.copy()
            self.env.flush_all()
            for role, allowed in expected.items():
                mine = self._as(role, record)
                attempts = {
                    "r": lambda mine=mine: mine.read(["display_name"]),
                    "s": lambda mine=mine: mine.search([]),
                    "w": lambda mine=mine: mine.write(self._get_change(mine)),
                    "c": lambda mine=mine: mine.create({}),
                    "u": lambda mine=mine: mine.unlink(),
                }
                for letter, attempt in attempts.items():
                    may = {"s": "r"}.get(letter, letter) in allowed
                    if may and letter in "cu":
                        continue
                    with self.subTest(model=model, role=role, operation=letter):
                        if may:
                            attempt()
                        else:
                            with self.assertRaises(AccessError):
                                attempt()

    def _get_change(self, records):
        """Return something that can be written to records of any model."""
        fields = records._fields
        if "company_id" in fields and fields["company_id"].store:
            return {"company_id": self.company.id}
        values = {"per_minute": 5, "percent": 5, "name": "x", "kind": "returned"}
        known = [name for name in values if name in fields] or ["name"]
        return {known[0]: values[known[0]]}

    def test_dialogs_are_private(self):
        segment = self._create_segment(self.company)
        replays = self.env["marketing.sequence.replay"]
        for model in (name for name, may in WIZARDS.items() if "c" in may["manager"]):
            vals = {
                "reply_id": self._create_reply(self.cart.message_ids[0]).id,
                "segment_id": segment.id,
                "partner_ids": [Command.link(self.cart.partner_id.id)],
                "sequence_id": self.sequence.id,
                "campaign_id": self._create_campaign(self.company).id,
                "step_id": self.sequence.step_ids[0].id,
                "replay_id": self._as("manager", replays)
                .create({"sequence_id": self.sequence.id})
                .id,
            }
            wizard = self._as("manager", self.env[model])
            mine = wizard.create(
                {name: vals[name] for name in vals.keys() & wizard._fields.keys()}
            )
            theirs = self._as("admin", mine)
            self.env.flush_all()
            self.env.invalidate_all()
            with self.subTest(model=model), self.assertRaises(AccessError):
                theirs.read(["display_name"])

    def test_managers_create_and_delete_content(self):
        manager = self.users["manager"]
        sequence = self._create_sequence(self.company).with_user(manager)
        copy = sequence.copy()
        self.assertEqual(len(copy.step_ids), 1)
        template = copy.step_ids.template_id
        copy.step_ids.unlink()
        (copy | sequence).unlink()
        template.unlink()

    def test_managers_delete_a_step_that_carts_wait_for(self):
        """They cannot write runs themselves, and may not see those of others."""
        run = self.open_cart.enrollment_ids
        other = self._abandon(
            self._create_customer("Cy", "cy@example.com"), website_id=self.website_b.id
        ).enrollment_ids
        self.assertEqual(other.company_id, self.company_b)
        step = run.next_step_id
        other.next_step_id = step
        following = step._get_following_steps()[0]
        manager = self.users["manager"]
        # Who works in all companies, and looks at one of them.
        manager.company_ids |= self.env["res.company"].search([])
        alone = {"allowed_company_ids": self.company.ids}
        step.with_user(manager).with_context(**alone).unlink()
        self.assertEqual(run.next_step_id, following)
        self.assertEqual(other.next_step_id, following)
        last = following
        last.with_user(manager).with_context(**alone).unlink()
        self.assertEqual(run.state, "completed")

    def test_users_can_read_everything_they_are_shown(self):
        """No field of a model a role may read ends in an error, for want of rights
        on orders, invoices or customers."""
        for model, expected in MODELS.items():
            for role in ("user", "manager", "admin"):
                if expected is SEEN_BY_ADMINS and role != "admin":
                    continue
                self.assertIn("r", expected[role])
                records = self._as(role, self.env[model]).search([])
                self.assertTrue(records, model)
                for name in records.fields_get():
                    with self.subTest(model=model, role=role, field=name):
                        self.env.invalidate_all()
                        records.read([name])

    def test_others_can_read_what_we_added_to_their_models(self):
        """Sellers, portal customers and clients that read all fields of an order."""
        ours = {
            name: [
                field.name
                for field in self.env[name]._fields.values()
                if ADDON in field._modules
            ]
            for name in ("sale.order", "website", "res.company")
        }
        self.assertIn("restored_cart_ids", ours["sale.order"])
        seller = new_test_user(
            self.env, "ma_seller", groups="sales_team.group_sale_salesman_all_leads"
        )
        customer = self.users["portal"]
        order = self.cart.order_id
        order.partner_id = customer.partner_id
        order.message_subscribe(customer.partner_id.ids)
        self.env.flush_all()
        readers = {
            "sale.order": [(seller, order), (customer, order)],
            "website": [
                (user, self.website)
                for user in (seller, customer, self.users["public"])
            ],
            "res.company": [(user, self.company) for user in (seller, customer)],
        }
        for model, pairs in readers.items():
            for user, record in pairs:
                visible = record.with_user(user).fields_get(ours[model])
                for name in visible:
                    with self.subTest(model=model, user=user.login, field=name):
                        self.env.invalidate_all()
                        record.with_user(user).read([name])
        # All at once, as clients of the API do that name no fields.
        self.env.invalidate_all()
        order.with_user(seller).read()

    # === COMPANIES ===#

    def test_other_companies_see_nothing(self):
        for company, stranger in (
            (self.company, "manager of B"),
            (self.company_b, "manager"),
        ):
            for model in SEEN_BY_USERS - GLOBAL_MODELS:
                records = self._owned_by(company, model)
                theirs = self._as(stranger, records)
                self.env.flush_all()
                self.env.invalidate_all()
                with self.subTest(model=model, stranger=stranger):
                    found = theirs.search([("id", "in", records.ids)])
                    self.assertFalse(found)
                    for operation in OPERATIONS:
                        self.assertFalse(theirs.has_access(operation), operation)
                    with self.assertRaises(AccessError), mute_logger("odoo.orm"):
                        theirs.read(["display_name"])
                    counted = theirs._read_group(
                        [("id", "in", records.ids)], [], ["__count"]
                    )
                    self.assertEqual(counted, [(0,)])

    def test_everybody_sees_their_own_company(self):
        for company, own in ((self.company, "user"), (self.company_b, "manager of B")):
            for model in SEEN_BY_USERS - GLOBAL_MODELS:
                records = self._owned_by(company, model)
                with self.subTest(model=model, user=own):
                    self.assertEqual(
                        self._as(own, records).search([("id", "in", records.ids)]),
                        self._as(own, records),
                    )

    def test_what_belongs_to_no_company_is_shared(self):
        shared = {
            "marketing.sequence": self.sequence,
            "marketing.sequence.step": self.sequence.step_ids,
            "marketing.sequence.condition": self.sequence.step_ids.condition_ids,
            "marketing.sequence.version": self.sequence.version_ids,
            "marketing.coupon": self.env["marketing.coupon"].search([]),
            "marketing.coupon.tier": self.env["marketing.coupon.tier"].search([]),
            "marketing.template": self.sequence.step_ids.template_id,
            "marketing.provider": self.sandbox | self.smtp,
        }
        self.assertEqual(set(shared), SHARED_MODELS)
        for model, records in shared.items():
            for role in ("user", "manager of B"):
                with self.subTest(model=model, role=role):
                    self._as(role, records).read(["display_name"])

    def test_counts_of_shared_records_are_of_ones_own_company(self):
        """A shared sequence does not tell the numbers of the other company."""
        for role in ("manager", "manager of B"):
            sequence = self._as(role, self.sequence)
            self.env.invalidate_all()
            own = self._as(role, self.env["marketing.enrollment"]).search_count([])
            self.assertEqual(sequence.enrollment_count, own)
            self.assertEqual(sequence.recovered_count, 1)
            self.assertEqual(sequence.recovered_revenue, 40.0)
            self.assertEqual(sequence.message_count, 1)
            self.assertEqual(sum(sequence.step_ids.mapped("message_count")), 1)
            self.assertEqual(
                sum(self._as(role, self.sandbox).mapped("message_count")), 1
            )

    def test_nothing_is_moved_into_another_company(self):
        sequence = self._create_sequence(self.company)
        with self.assertRaises(AccessError):
            self._as("manager", self.env["marketing.sequence"]).create(
                {"name": "S", "company_id": self.company_b.id}
            )
        with self.assertRaises(UserError):
            # A template of another company in a sequence of this one.
            sequence.step_ids.template_id = self._create_template(self.company_b)
        with self.assertRaises(UserError):
            sequence.website_id = self.website_b

    # === SECRETS ===#

    def test_secret_fields(self):
        self._allow_export(*self.users.values())
        for model, names in SECRETS.items():
            records = self._owned_by(self.company, model)
            for role in ("public", "portal", "employee", "user", "manager"):
                mine = self._as(role, records)
                for name in names:
                    attempts = self._get_attempts(mine, name)
                    for attempt, call in attempts.items():
                        with self.subTest(
                            model=model, role=role, field=name, attempt=attempt
                        ):
                            self.env.invalidate_all()
                            with self.assertRaises(AccessError):
                                call()
            for role in ("user", "manager"):
                mine = self._as(role, records)
                if not mine.has_access("read"):
                    continue
                self.assertFalse(names & mine.fields_get().keys())
                self.assertFalse(names & mine.read()[0].keys())
            self.assertTrue(self._as("admin", records).fields_get(list(names)))

    def _allow_export(self, *users):
        """Let nothing but the rights on the field itself stand in the way."""
        self.env.ref("base.group_allow_export").user_ids |= self.env["res.users"].union(
            *users
        )

    def _get_attempts(self, records, name):
        return {
            "read": lambda: records.read([name]),
            "search_read": lambda: records.search_read([], [name]),
            "web_read": lambda: records.web_read({name: {}}),
            "attribute": lambda: records.mapped(name),
            "domain": lambda: records.search([(name, "like", "a%")]),
            "domain, negated": lambda: records.search(["!", (name, "=", False)]),
            "domain, hidden": lambda: records.search(
                ["|", ("id", "=", 0), "&", ("id", ">", 0), (name, "!=", "x")]
            ),
            "count": lambda: records.search_count([(name, "=like", "a%")]),
            "order": lambda: records.search([], order=f"{name} desc"),
            "group": lambda: records._read_group([], [name], ["__count"]),
            "aggregate": lambda: records._read_group(
                [], [], [f"{name}:count_distinct"]
            ),
            "formatted": lambda: records.formatted_read_group([], [name], ["__count"]),
            "export": lambda: records.export_data([name]),
            "write": lambda: records.write({name: False}),
        }

    def test_secrets_through_other_models(self):
        """Through a relation they stay what they are."""
        paths = {
            "abandoned.cart": ["message_ids.token"],
            "marketing.enrollment": ["abandoned_cart_id.token", "message_ids.token"],
            "marketing.message": [
                "abandoned_cart_id.token",
                "provider_id.mail_server_id",
                "provider_id.mail_server_id.smtp_pass",
            ],
            "marketing.engagement": ["message_id.token"],
            "marketing.short.link": ["message_id.token"],
            "sale.order": ["abandoned_cart_id.token", "attributed_message_id.token"],
        }
        seller = new_test_user(
            self.env,
            "ma_seller2",
            groups=f"sales_team.group_sale_salesman_all_leads,{GROUP_MANAGER}",
        )
        self._allow_export(seller)
        for model, names in paths.items():
            records = self.env[model].with_user(seller)
            for path in names:
                relation = path.partition(".")[0]
                found = records.search([(relation, "!=", False)], limit=1)
                self.assertTrue(found, path)
                attempts = {
                    "domain": lambda r=records, p=path: r.search([(p, "like", "a%")]),
                    "any": lambda r=records, p=path: r.search(
                        [
                            (
                                p.partition(".")[0],
                                "any",
                                [(p.partition(".")[2], "like", "a%")],
                            )
                        ]
                    ),
                    "export": lambda f=found, p=path: f.export_data(
                        [p.replace(".", "/")]
                    ),
                    "mapped": lambda f=found, p=path: f.mapped(p),
                }
                for attempt, call in attempts.items():
                    with self.subTest(model=model, path=path, attempt=attempt):
                        self.env.invalidate_all()
                        with self.assertRaises(AccessError):
                            call()

    def test_the_settings_are_for_administrators(self):
        for role in ("public", "portal", "employee", "user", "manager"):
            with self.subTest(role):
                with self.assertRaises(AccessError):
                    self._as(role, self.env["res.config.settings"]).create({}).execute()
                for record, name in (
                    (self.website, "cart_recovery_enabled"),
                    (self.website, "cart_idle_minutes"),
                    (self.company, "cart_expiry_days"),
                    (self.company, "cart_minimum_amount"),
                    (self.company, "attribution_days"),
                ):
                    with self.assertRaises(AccessError):
                        self._as(role, record)[name] = 1

    # === BUTTONS ===#

    def test_buttons_of_others(self):
        """What changes something refuses those without the role."""
        cart, run = self.open_cart, self.open_cart.enrollment_ids
        message = cart.message_ids
        self.assertEqual((run.state, message.state), ("active", "queued"))
        before = self.env["abandoned.cart"].search_count([])
        self._create_cart(self._create_customer("Di", "di@example.com"))
        for role in ("public", "portal", "employee", "manager of B"):
            for call in (
                self._as(role, cart).action_stop_recovery,
                self._as(role, cart).action_mark_person,
                self._as(role, run).action_stop,
                self._as(role, message).action_cancel,
                self._as(role, message).action_mark_failed,
                self._as(role, message).action_mark_sent,
                self._as(role, message).action_send_late,
                self._as(role, self.sandbox).action_disable,
                self._as(role, self.smtp).action_enable,
                self._as(role, cart).action_open_order,
                self._as(role, cart).action_view_messages,
                self._as(role, message).action_open_cart,
            ):
                with self.subTest(role=role, call=call.__name__):
                    with self.assertRaises(AccessError):
                        call()
            if role != "manager of B":
                with self.assertRaises(AccessError):
                    self._as(role, cart.browse()).action_detect_now()
        self.assertEqual((run.state, message.state), ("active", "queued"))
        self.assertEqual(self.env["abandoned.cart"].search_count([]), before)
        self.assertEqual((self.sandbox.state, self.smtp.state), ("enabled", "disabled"))

    def test_buttons_of_users(self):
        message = self.open_cart.message_ids
        self._as("user", message).action_cancel()
        self.assertEqual(message.state, "cancelled")
        self._as("user", self.open_cart).action_stop_recovery()
        self.assertEqual(self.open_cart.enrollment_ids.stop_reason, "cancelled")
        self._create_cart(self._create_customer("Ed", "ed@example.com"))
        result = self._as("user", self.open_cart.browse()).action_detect_now()
        self.assertEqual(result["params"]["type"], "success")
        for role in ("user", "manager"):
            for provider in (self.smtp, self.sandbox):
                for name in ("action_enable", "action_disable"):
                    with self.assertRaises(AccessError):
                        getattr(self._as(role, provider), name)()
            with self.assertRaises(AccessError):
                self._as(role, self.env["marketing.provider"]).create({"name": "x"})

    def test_every_public_method_is_expected(self):
        """Whatever has no underscore in front can be called by anybody over RPC."""
        actual = {}
        for name, model in self.registry.items():
            for cls in model.__mro__:
                if not cls.__module__.startswith(f"odoo.addons.{ADDON}."):
                    continue
                if not issubclass(cls, models.BaseModel):
                    continue
                # What we add to a mixin is listed once, not for all that have it.
                if cls._name in MIXINS and name != cls._name:
                    continue
                for method, function in vars(cls).items():
                    if not isfunction(function) or method.startswith("_"):
                        continue
                    if not getattr(function, "_api_private", False):
                        actual.setdefault(name, set()).add(method)
        self.maxDiff = None
        self.assertEqual(actual, PUBLIC_METHODS)

    def test_new_public_methods_say_what_they_do(self):
        for name, methods in PUBLIC_METHODS.items():
            for method in methods:
                if method.startswith("action_"):
                    function = getattr(self.registry[name], method)
                    self.assertTrue(function.__doc__, f"{name}.{method}")


# What is asked of each route of the addon, by its path. Anything else that turns up
# in the routing map is a route nobody thought of.
OWN_ROUTES = {
    "/shop/cart/recover/<string:token>": {"http": {"GET"}},
    "/shop/cart/returned": {"jsonrpc": {"POST"}},
    "/shop/cart/contact": {"jsonrpc": {"POST"}},
    "/shop/greeting/close": {"http": {"POST"}},
    "/shop/consent": {"http": {"POST"}},
    "/marketing/click/<string:token>": {"http": {"GET"}},
    "/marketing/open/<string:token>.gif": {"http": {"GET"}},
    "/m/<string:code>": {"http": {"GET"}},
    "/marketing/unsubscribe/<string:token>": {"http": {"GET", "POST"}},
    "/marketing/preferences/<string:token>": {"http": {"GET", "POST"}},
    "/marketing/confirm/<string:token>": {"http": {"GET", "POST"}},
    # Sums, for marketing users: see TestDashboardExport.
    "/marketing/dashboard/export": {"http": {"GET"}},
    # For a manager's own request alone: see TestPrivacyFile.
    "/marketing/privacy/export/<int:wizard_id>": {"http": {"GET"}},
    "/marketing/webhook/<string:token>": {"http": {"POST"}},
}
# Odoo's own, extended here: their rights stay Odoo's.
EXTENDED_ROUTES = {
    "add_to_cart",
    "cart",
    "clear_cart",
    "process_express_checkout",
    "shop_address_submit",
    "shop_payment_transaction",
    "shop_payment_validate",
    "shop_set_delivery_method",
    "shop_update_address",
}
WATCHED_TABLES = (
    "abandoned_cart",
    "marketing_enrollment",
    "marketing_message",
    "marketing_engagement",
    "mail_blacklist",
    "sale_order",
    "sale_order_line",
    "res_partner",
)
WRONG_TOKENS = (
    "0" * 32,
    "F" * 32,
    "a",
    "%00",
    "%FF%FE",
    "' OR 1=1--",
    "%25",
    "a" * 5000,
    "%F0%9F%9B%92",
)


@tagged("post_install", "-at_install")
class TestRoutes(MarketingHttpCase):
    """Every route of the addon, as everybody."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.website.domain = False
        cls.company_b, cls.website_b = create_other_shop(cls)
        for login, groups in (
            ("ma_portal", "base.group_portal"),
            ("ma_employee", "base.group_user"),
            ("ma_manager", GROUP_MANAGER),
        ):
            new_test_user(cls.env, login, groups=groups, password=login)

    def setUp(self):
        super().setUp()
        self.cart = self._abandon()
        self._process_steps()
        self.message = self.cart.message_ids

    def _visitors(self):
        for login in (None, "ma_portal", "ma_employee", "ma_manager"):
            self._new_visitor(login)
            yield login or "public"

    def _our_endpoints(self):
        found = {}
        for rule in self.env["ir.http"].routing_map().iter_rules():
            endpoint = rule.endpoint
            module = endpoint.func.__module__
            if module.startswith(f"odoo.addons.{ADDON}."):
                found.setdefault(rule.rule, []).append(endpoint)
        return found

    def test_every_route_is_expected(self):
        own = {}
        extended = set()
        for path, endpoints in self._our_endpoints().items():
            for endpoint in endpoints:
                if endpoint.original_routing.get("routes"):
                    methods = own.setdefault(path, {}).setdefault(
                        endpoint.routing["type"], set()
                    )
                    methods.update(endpoint.routing.get("methods") or {"any"})
                else:
                    extended.add(endpoint.original_endpoint.__name__)
        self.assertEqual(own, OWN_ROUTES)
        self.assertEqual(extended, EXTENDED_ROUTES)

    def test_every_controller_method_is_a_route(self):
        """The classes above find every controller method with a route."""
        names = set()
        for cls in _subclasses(Controller):
            if not cls.__module__.startswith(f"odoo.addons.{ADDON}."):
                continue
            names |= {
                name
                for name, function in getmembers(cls, isfunction)
                if hasattr(function, "original_routing")
                and function.__module__.startswith(f"odoo.addons.{ADDON}.")
            }
        self.assertEqual(
            names,
            EXTENDED_ROUTES
            | {
                "recover_cart",
                "cart_returned",
                "keep_typed_contact",
                "close_greeting",
                "click",
                "open_pixel",
                "short_link",
                "unsubscribe_page",
                "unsubscribe",
                "preference_page",
                "save_preferences",
                "shop_consent",
                "confirm_page",
                "confirm",
                "export",
                "receive",
            },
        )

    def test_extended_routes_keep_odoos_rules(self):
        """Extending a route must not open it: who may call it stays as it was."""
        for endpoints in self._our_endpoints().values():
            for endpoint in endpoints:
                if endpoint.original_routing.get("routes"):
                    continue
                self.assertFalse(
                    endpoint.original_routing.keys() - {"type", "readonly"},
                    endpoint.original_endpoint,
                )

    def test_only_routes_with_a_proof_go_without_csrf(self):
        without = {
            (path, *sorted(endpoint.routing["methods"]))
            for path, endpoints in self._our_endpoints().items()
            for endpoint in endpoints
            if endpoint.original_routing.get("csrf") is False
        }
        self.assertEqual(
            without,
            {
                ("/marketing/unsubscribe/<string:token>", "POST"),
                # The token is the proof: see TestPreferencePage, TestOptIn.
                ("/marketing/preferences/<string:token>", "POST"),
                ("/marketing/confirm/<string:token>", "POST"),
                # Signed by the provider: see TestWebhook.
                ("/marketing/webhook/<string:token>", "POST"),
            },
        )

    def test_wrong_tokens(self):
        """The same page for all of them, and nothing changes."""
        before = self._rows(*WATCHED_TABLES)
        for visitor in self._visitors():
            for path, methods in OWN_ROUTES.items():
                if "<string:" not in path or methods == {"http": {"POST"}}:
                    continue
                for token in WRONG_TOKENS:
                    url = token.join(re.split("<.*>", path))
                    with self.subTest(visitor=visitor, url=url[:80]):
                        response = self._get(url, allow_redirects=False)
                        # The picture is the same for right and wrong tokens.
                        expected = 200 if path.endswith(".gif") else 404
                        self.assertEqual(response.status_code, expected)
                        self.assertNotIn("anna", response.text.lower())
            for token in WRONG_TOKENS[:4]:
                response = self._get(f"/marketing/unsubscribe/{token}", data={"a": "b"})
                self.assertEqual(response.status_code, 404)
        self.assertEqual(self._rows(*before), before)

    def test_tokens_of_something_else(self):
        """A message's token opens no cart, a cart's token unsubscribes nobody."""
        before = self._rows(*WATCHED_TABLES)
        for url in (
            f"/shop/cart/recover/{self.message.token}",
            f"/marketing/unsubscribe/{self.cart.token}",
            f"/marketing/click/{self.cart.token}",
            f"/marketing/click/{self.message.token}",
            f"/marketing/click/{self.message.token}?u=https://example.com&s=",
            f"/marketing/unsubscribe/{self.message.token.upper()}",
            f"/marketing/unsubscribe/{self.message.token}%0A",
            f"/shop/cart/recover/{self.cart.token}0",
            f"/shop/cart/recover/{self.cart.id}",
        ):
            with self.subTest(url):
                response = self._get(url, allow_redirects=False)
                self.assertEqual(response.status_code, 404)
        for data in ({"a": "b"}, {"token": self.message.token}):
            response = self._get(f"/marketing/unsubscribe/{self.cart.token}", data=data)
            self.assertEqual(response.status_code, 404)
        self.assertEqual(self._rows(*before), before)

    def test_looking_changes_nothing(self):
        """GET and HEAD of every page with a right token, as everybody."""
        before = self._rows(*WATCHED_TABLES)
        strangers = {"ma_portal", "ma_employee", "ma_manager"}
        for visitor in self._visitors():
            for method in ("GET", "HEAD"):
                with self.subTest(visitor=visitor, method=method):
                    response = self._get(
                        f"/marketing/unsubscribe/{self.message.token}", method=method
                    )
                    self.assertEqual(response.status_code, 200)
                    response = self._get(
                        f"/shop/cart/recover/{self.cart.token}",
                        method=method,
                        allow_redirects=False,
                    )
                    expected = 404 if visitor in strangers else 303
                    self.assertEqual(response.status_code, expected)
        self.assertEqual(self._rows(*before), before)

    def test_other_methods_are_refused(self):
        before = self._rows(*WATCHED_TABLES)
        recover = f"/shop/cart/recover/{self.cart.token}"
        click = f"/marketing/click/{self.message.token}"
        unsubscribe = f"/marketing/unsubscribe/{self.message.token}"
        for url, method in (
            (recover, "POST"),
            (recover, "PUT"),
            (recover, "DELETE"),
            (click, "POST"),
            (click, "DELETE"),
            (unsubscribe, "PUT"),
            (unsubscribe, "DELETE"),
            ("/shop/cart/returned", "GET"),
            ("/shop/cart/contact", "GET"),
        ):
            with self.subTest(url=url, method=method):
                response = self._get(url, method=method, allow_redirects=False)
                self.assertIn(response.status_code, (400, 404, 405, 415))
        self.assertEqual(self._rows(*before), before)

    def test_returned_without_a_cart(self):
        """It speaks of the session's own cart; whoever has none changes nothing."""
        before = self._rows(*WATCHED_TABLES)
        for visitor in self._visitors():
            for params in ({}, {"id": self.cart.id}, {"order_id": 1}):
                with (
                    self.subTest(visitor=visitor, params=params),
                    mute_logger("odoo.http"),
                ):
                    try:
                        self.assertFalse(self._rpc("/shop/cart/returned", params))
                    except AssertionError:
                        raise
                    except Exception as error:
                        # Unknown parameters may be refused, no more than that.
                        self.assertTrue(params, error)
        self.assertEqual(self._rows(*before), before)

    def test_link_of_another_website(self):
        """Company B's cart is brought back on B's website alone."""
        cart = self._abandon(
            self._create_customer("Bo", "bo@example.com"), website_id=self.website_b.id
        )
        response = self._get(f"/shop/cart/recover/{cart.token}", allow_redirects=False)
        self.assertEqual(response.status_code, 302)
        self.assertEqual(
            response.headers["Location"],
            f"https://b.example.com/shop/cart/recover/{cart.token}",
        )
        self.website_b.domain = False
        response = self._get(f"/shop/cart/recover/{cart.token}", allow_redirects=False)
        self.assertEqual(response.status_code, 404)

    def test_rpc_reaches_nothing_private(self):
        """Odoo refuses methods with an underscore; the tokens are behind them."""
        self._new_visitor("ma_manager")
        for model, method, args in (
            ("abandoned.cart", "_find_by_token", [self.cart.token]),
            ("marketing.engagement", "_get_link_secret", []),
            ("marketing.message", "_claim", [10]),
            ("marketing.dispatcher", "_cron_dispatch", []),
            ("marketing.dispatcher", "_dispatch_batch", []),
            ("marketing.gate", "_decide", [[]]),
            ("marketing.provider", "_get_secret", [[1], "sendgrid_api_key"]),
            ("marketing.message", "_apply_events", [[]]),
        ):
            with self.subTest(model=model, method=method), mute_logger("odoo.http"):
                with self.assertRaises(Exception) as caught:
                    self._rpc(
                        f"/web/dataset/call_kw/{model}/{method}",
                        {"model": model, "method": method, "args": args, "kwargs": {}},
                    )
                self.assertNotIsInstance(caught.exception, (IntegrityError, TypeError))


def _subclasses(cls):
    for subclass in cls.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)
