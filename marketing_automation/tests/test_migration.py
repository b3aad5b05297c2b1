import importlib.util

from odoo import fields
from odoo.tests import new_test_user, tagged
from odoo.tools import file_path

from ..tools.links import is_token
from .common import MarketingCase


@tagged("post_install", "-at_install")
class TestMigration(MarketingCase):
    """Databases of earlier versions keep what they hold."""

    def _migrate(self, version, script):
        path = file_path(f"marketing_automation/migrations/{version}/{script}.py")
        spec = importlib.util.spec_from_file_location(script.replace("-", "_"), path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        self.env.flush_all()
        module.migrate(self.env.cr, "19.0.1.0.0")
        self.env.invalidate_all()

    def test_what_was_sent_moves_into_contents(self):
        partners = self._create_customer("A", "a@example.com") | self._create_customer(
            "B", "b@example.com"
        )
        sent, queued = self._queue_to(partners, self._create_contact_template())
        self.env.cr.execute(
            """ALTER TABLE marketing_message ADD COLUMN body_html text,
                                             ADD COLUMN body_text text"""
        )
        self.env.cr.execute(
            """UPDATE marketing_message
                  SET body_html = '<p>Old</p>', body_text = 'Old', subject = 'S',
                      state = 'sent', sent_at = '2026-01-02 03:04:05' WHERE id = %s""",
            [sent.id],
        )
        cron = self.env.ref("marketing_automation.ir_cron_process_enrollments")
        cron.interval_number = 5
        for _repetition in range(2):
            self._migrate("19.0.1.1.0", "post-migration")
            self.assertEqual((sent.body_html, sent.body_text), ("<p>Old</p>", "Old"))
            self.assertEqual(sent.content_id.subject, "S")
            self.assertEqual(str(sent.content_id.created_at), "2026-01-02 03:04:05")
            self.assertFalse(queued.content_id)
            self.assertEqual(cron.interval_number, 1)

    def test_each_account_has_a_webhook_of_its_own(self):
        accounts = self.smtp | self.smtp.copy({"name": "Other"}) | self.sandbox
        kept = self.sandbox.webhook_token
        self.env.cr.execute(
            "UPDATE marketing_provider SET webhook_token = NULL WHERE kind = 'smtp'"
        )
        self._migrate("19.0.1.1.0", "pre-migration")
        tokens = accounts.mapped("webhook_token")
        self.assertEqual(len(set(tokens)), 3)
        self.assertTrue(all(is_token(token) for token in tokens))
        self.assertEqual(self.sandbox.webhook_token, kept)

    def test_the_shop_keeps_writing_to_whom_it_wrote_to(self):
        company = self.env["res.company"].create({"name": "B"})
        self.assertEqual(company.consent_policy, "opt_in")
        self._migrate("19.0.1.2.0", "post-migration")
        self.assertEqual(company.consent_policy, "soft_opt_in")

    def test_templates_without_a_sender_get_the_footer(self):
        with_footer = self.env.ref("marketing_automation.template_cart_1")
        before = with_footer.body_html
        self.env["res.lang"]._activate_lang("fr_FR")
        old, receipt = self.env["marketing.template"].create(
            [
                {"name": "Old", "category": "notification", "subject": "S"}
                | {"body_html": "<p>Hello</p>"}
                for _number in range(2)
            ]
        )
        old.update_field_translations("body_html", {"fr_FR": "<p>Bonjour</p>"})
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE marketing_template SET category = 'marketing' WHERE id = %s",
            [old.id],
        )
        for _repetition in range(2):
            self._migrate("19.0.1.2.0", "post-migration")
            for lang, text in (("en_US", "Hello"), ("fr_FR", "Bonjour")):
                self.assertEqual(
                    old.with_context(lang=lang).body_html,
                    f'<p>{text}</p>\n{{% include "footer" %}}\n',
                )
        self.assertEqual(receipt.body_html, "<p>Hello</p>")
        self.assertEqual(with_footer.body_html, before)
        old._check_sources()

    def test_link_and_code_of_the_text_message_are_divided(self):
        template = self.env.ref("marketing_automation.template_offer_sms")
        right = template.body_sms
        template.body_sms = right.replace('{{ "\\n" }}Code', "\nCode")
        self.assertNotEqual(template.body_sms, right)
        other = self.env.ref("marketing_automation.template_cart_sms")
        before = other.body_sms
        for _repetition in range(2):
            self._migrate("19.0.1.4.0", "post-migration")
            self.assertEqual(template.body_sms, right)
        self.assertEqual(other.body_sms, before)

    def test_what_staff_can_read_holds_no_links_of_recipients(self):
        people = self._create_customer("A", "a@example.com")
        message = self._queue_to(people, self._create_contact_template())
        token = "0123456789abcdef" * 2
        urls = [
            f"https://a.example/shop/cart/recover/{token}?to=payment",
            "https://a.example/m/Ab3dEf7hIj9k",
            "https://a.example/shop/mug",
        ]
        self.env["marketing.engagement"]._record_events(
            [
                {"message_id": message.id, "kind": "click", "url": url}
                | {"occurred_at": message.create_date}
                for url in urls
            ]
        )
        self.env.cr.execute(
            """UPDATE marketing_engagement SET url = (%s::varchar[])[id - %s + 1]
                WHERE message_id = %s""",
            (urls, min(message.engagement_ids.ids), message.id),
        )
        self.env.cr.execute(
            "UPDATE marketing_message SET subject = %s WHERE id = %s",
            ("Look: https://a.example/m/Ab3dEf7…", message.id),
        )
        for _repetition in range(2):
            self._migrate("19.0.1.6.0", "post-masked-tokens")
            self.assertEqual(
                set(message.engagement_ids.mapped("url")),
                {
                    "https://a.example/shop/cart/recover/preview?to=payment",
                    "https://a.example/m/preview",
                    "https://a.example/shop/mug",
                },
            )
            self.assertEqual(message.subject, "Look: https://a.example/m/preview…")

    def test_answers_of_the_last_month_are_shown(self):
        people = self._create_customer("A", "a@example.com")
        message = self._queue_to(people, self._create_contact_template())
        now = fields.Datetime.now()
        self.env["marketing.engagement"]._record_events(
            [
                {"message_id": message.id, "kind": "reply", "detail": text}
                | {"occurred_at": fields.Datetime.subtract(now, days=days)}
                for text, days in (("Not interested", 5), ("Nice", 6), ("Old", 60))
            ]
        )
        for _repetition in range(2):
            self._migrate("19.0.1.6.0", "post-replies")
            replies = self.env["marketing.reply"].search([])
            self.assertEqual(replies.mapped("text"), ["Not interested", "Nice"])
            self.assertEqual(replies.mapped("kind"), ["objection", "other"])
            self.assertEqual(replies.partner_id, people)

    def test_what_was_sent_before_has_its_days(self):
        people = self._create_customer("A", "a@example.com")
        message = self._queue_to(people, self._create_contact_template())
        campaign = self.env["email.campaign"].create({"name": "Old"})
        campaign.started_at = campaign.ended_at = "2025-12-01 10:00:00"
        message.write(
            {
                "campaign_id": campaign.id,
                "state": "sent",
                "sent_at": "2025-12-01 10:00:00",
                "is_sandbox": False,
            }
        )
        for _repetition in range(2):
            self._migrate("19.0.1.5.0", "post-migration")
            days = self.env["campaign.daily.stats"].search([])
            self.assertEqual(days.campaign_id, campaign)
            self.assertEqual((str(days.day), days.sent_count), ("2025-12-01", 1))
            self.assertEqual(campaign.page_figures["domains"][0]["sent"], 1)
            domains = self.env["email.deliverability.stats"].search([])
            self.assertEqual((str(domains.day), domains.sent_count), ("2025-12-01", 1))

    def test_indexes_of_large_tables_are_kept(self):
        kept = "sale_order_attributed_message_idx"
        old = "sale_order__attributed_message_id_index"
        self.env.cr.execute(f"SELECT '{kept}'::regclass::oid")
        index_id = self.env.cr.fetchone()
        self.env.cr.execute(f"COMMENT ON INDEX {kept} IS NULL")
        self.env.cr.execute(f"ALTER INDEX {kept} RENAME TO {old}")
        self._migrate("19.0.1.6.0", "pre-large-indexes")
        self.env.cr.execute(f"SELECT '{kept}'::regclass::oid")
        self.assertEqual(self.env.cr.fetchone(), index_id)
        self.assertEqual(self.env["marketing.large.index"]._get_missing(), [])
        # As it is declared: Odoo does not make it anew.
        model = self.env["sale.order"]
        model._table_objects[kept].apply_to_database(model)
        self.env.cr.execute(f"SELECT '{kept}'::regclass::oid")
        self.assertEqual(self.env.cr.fetchone(), index_id)

    def test_an_upgrade_takes_over_no_carts(self):
        cron = self.env.ref("marketing_automation.ir_cron_take_over_carts")
        cron.active = True
        self._migrate("19.0.1.6.0", "post-take-over")
        self.assertFalse(cron.active)

    def test_numbers_get_limits_and_conditions_writers(self):
        segment = self.env["customer.segment"].create({"name": "S"})
        segment.set_criteria({"conditions": [{"behaviour": "bought", "days": 9}]})
        condition, step = segment.condition_ids, self.sequence.step_ids[0]
        for table, name in (
            ("customer_segment_condition", "times_positive"),
            ("marketing_sequence_step", "delay_positive"),
            ("res_company", "cart_expiry_days_positive"),
            ("website", "cart_idle_minutes_positive"),
        ):
            self.env.cr.execute(
                f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {table}_{name}"
            )
        self.env.cr.execute(
            """UPDATE customer_segment_condition
                  SET times = 2000000, period_days = 999999;
               UPDATE marketing_sequence_step
                  SET delay_value = 9999999, delay_unit = 'days';
               UPDATE res_company SET cart_expiry_days = 1000000000,
                                      cart_kept_days = 2000000000;
               UPDATE website SET cart_idle_minutes = 2000000000"""
        )
        # Somebody else saved it last; the column is one of this version.
        other = new_test_user(self.env, "saved_last", groups="base.group_user")
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE customer_segment_condition SET write_uid = %s", [other.id]
        )
        self.env.cr.execute(
            "ALTER TABLE customer_segment_condition DROP COLUMN writer_id CASCADE"
        )
        self.env.invalidate_all()
        for script in (
            *("pre-segment-limits", "pre-number-limits", "pre-segment-writers"),
        ):
            self._migrate("19.0.1.6.0", script)
        self.assertEqual((condition.times, condition.period_days), (1_000_000, 0))
        self.assertEqual(condition.writer_id, other)
        self.assertEqual((step.delay_value, step.delay_unit), (3650, "days"))
        self.assertEqual(self.company.cart_expiry_days, 3650)
        self.assertEqual(self.company.cart_kept_days, 36500)
        self.assertEqual(self.website.cart_idle_minutes, 525600)
