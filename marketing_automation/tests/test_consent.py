"""Who may be written to: each policy, purpose and channel, and what was said."""

from datetime import timedelta

from psycopg2 import DatabaseError

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import SQL, mute_logger
from odoo.tools.safe_eval import safe_eval

from ..models.audience.consent_rules import get_people
from ..models.audience.purposes import PURPOSES
from ..tools.address_hash import hash_address
from .common import MarketingCase

PURPOSE_KEYS = [purpose for purpose, _label in PURPOSES]
EMAIL, NUMBER = "kim@example.com", "+36301112233"


class ConsentCase(MarketingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.consent_policy = "opt_in"
        cls.kim = cls._create_customer("Kim", EMAIL, phone="+36 30 111 2233")
        cls.addresses = {"email": EMAIL, "sms": NUMBER}

    def _record(self, state, purposes, channel="email", **kwargs):
        vals = {"company": self.company, "source": "staff", **kwargs}
        return self.env["marketing.preference"]._record(
            vals.pop("company"),
            channel,
            purposes,
            vals.pop("addresses", [self.addresses[channel]]),
            state,
            vals.pop("source"),
            **vals,
        )

    def _why_not(self, purpose="offers", channel="email", partners=None, company=None):
        """Return the gate's answer for one person; None if they may be written to."""
        people = partners or self.kim
        counts = self.env["marketing.gate"]._estimate(
            SQL("SELECT unnest(%s)", people.ids),
            company or self.company,
            channel,
            purpose,
        )
        self.assertEqual(sum(counts.values()), 1)
        return next(iter(counts))

    def _buy(self, partner=None, company=None):
        order = self._create_cart(partner or self.kim)
        if company:
            order.company_id = company
        order.action_confirm()
        return order

    def _get_log(self, address=EMAIL):
        digests = self.env["marketing.suppression"]._hash([address])
        return self.env["marketing.consent.log"].search(
            [("address_hash", "in", digests)]
        )


@tagged("post_install", "-at_install")
class TestConsentPolicy(ConsentCase):
    """The answer for each policy, purpose and channel."""

    def test_what_was_said_counts_under_each_policy(self):
        for policy in ("opt_in", "soft_opt_in"):
            self.company.consent_policy = policy
            for channel in ("email", "sms"):
                for purpose in PURPOSE_KEYS:
                    with self.subTest(policy=policy, channel=channel, purpose=purpose):
                        self._record("given", [purpose], channel)
                        self.assertIsNone(self._why_not(purpose, channel))
                        self._record("withdrawn", [purpose], channel)
                        self.assertEqual(self._why_not(purpose, channel), "withdrawn")

    def test_consent_is_for_its_purpose_and_channel_and_company_alone(self):
        other = self.env["res.company"].create(
            {
                "name": "B",
                "street": "Example Street 2",
                "city": "Graz",
                "country_id": self.env.ref("base.at").id,
            }
        )
        self._record("given", ["offers"])
        for channel in ("email", "sms"):
            for purpose in PURPOSE_KEYS:
                with self.subTest(channel=channel, purpose=purpose):
                    expected = "no_consent"
                    if (channel, purpose) == ("email", "offers"):
                        expected = None
                    self.assertEqual(self._why_not(purpose, channel), expected)
                    self.assertEqual(
                        self._why_not(purpose, channel, company=other), "no_consent"
                    )

    def test_who_said_nothing(self):
        """Opt-in: nobody. Soft opt-in: customers, and a cart's owner of that cart."""
        for bought in (False, True):
            if bought:
                self._buy()
            for policy in ("opt_in", "soft_opt_in"):
                self.company.consent_policy = policy
                for purpose in PURPOSE_KEYS:
                    with self.subTest(policy=policy, purpose=purpose, bought=bought):
                        allowed = policy == "soft_opt_in" and (
                            bought or purpose == "cart"
                        )
                        expected = None if allowed else "no_consent"
                        for channel in ("email", "sms"):
                            self.assertEqual(self._why_not(purpose, channel), expected)

    def test_a_customer_is_the_person_not_the_contact(self):
        """Each checkout of a guest creates a contact of its own."""
        self.company.consent_policy = "soft_opt_in"
        self._buy(self._create_customer("Kim", "KIM@example.com"))
        self.assertIsNone(self._why_not())

    def test_customers_of_another_company_are_not_ours(self):
        self.company.consent_policy = "soft_opt_in"
        order = self._buy()
        company = self.env["res.company"].create({"name": "B"})
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sale_order SET company_id = %s WHERE id = %s",
            [company.id, order.id],
        )
        self.assertEqual(self._why_not(), "no_consent")

    def test_blacklists_of_odoo_are_the_last_word(self):
        self._record("given", PURPOSE_KEYS)
        self._record("given", PURPOSE_KEYS, "sms")
        self.env["mail.blacklist"]._add(EMAIL)
        self.assertEqual(self._why_not(), "opted_out")
        self.assertIsNone(self._why_not(channel="sms"))
        self.env["phone.blacklist"]._add([NUMBER])
        self.assertEqual(self._why_not(channel="sms"), "opted_out")
        self.env["mail.blacklist"]._remove(EMAIL)
        self.assertIsNone(self._why_not())

    def test_without_an_address(self):
        nobody = self._create_customer("No", False)
        self.assertEqual(self._why_not(partners=nobody), "no_email")
        self.assertEqual(self._why_not(channel="sms", partners=nobody), "no_phone")

    def test_company_without_postal_address(self):
        self._record("given", ["offers"])
        for field in ("street", "city", "country_id"):
            partner = self.company.partner_id
            before = partner[field]
            partner[field] = False
            with self.subTest(field=field):
                self.assertEqual(self._why_not(), "no_identity")
            partner[field] = before
        self.assertIsNone(self._why_not())

    def test_estimate_counts_each_address_once(self):
        twin = self._create_customer("Kim B.", "Kim@Example.com")
        lee = self._create_customer("Lee", "lee@example.com")
        self._record("given", ["offers"])
        counts = self.env["marketing.gate"]._estimate(
            SQL("SELECT unnest(%s)", (self.kim | twin | lee).ids),
            self.company,
            "email",
            "offers",
        )
        self.assertEqual(counts, {None: 1, "no_consent": 1})

    def test_people_by_what_they_said(self):
        """What segments ask for is what the gate says."""
        lee, max_, nobody = (
            self._create_customer(name, email)
            for name, email in (
                ("Lee", "lee@example.com"),
                ("Max", "max@example.com"),
                ("No", False),
            )
        )
        self._record("given", ["offers"], addresses=[EMAIL, "max@example.com"])
        self._record("withdrawn", ["offers"], addresses=["lee@example.com"])
        self.env["mail.blacklist"]._add("max@example.com")
        everybody = self.kim | lee | max_ | nobody
        for state, expected in (
            ("allowed", self.kim),
            ("given", self.kim | max_),
            ("withdrawn", lee),
            ("none", nobody),
        ):
            with self.subTest(state=state):
                self.env.flush_all()
                self.env.cr.execute(
                    SQL(
                        "SELECT id FROM res_partner WHERE id = ANY(%s) AND id IN (%s)",
                        everybody.ids,
                        get_people(self.company, "email", "offers", state),
                    )
                )
                found = {partner_id for (partner_id,) in self.env.cr.fetchall()}
                self.assertEqual(found, set(expected.ids))


@tagged("post_install", "-at_install")
class TestConsentAndMessages(ConsentCase):
    """What consent means for messages: the gate asks before each leaves."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.template = cls._create_contact_template()

    def _queue(self, **kwargs):
        """Queue a message to somebody who agreed to offers."""
        return self._queue_to(self.kim, self.template, **kwargs)

    def _send(self):
        self._run_cron("ir_cron_dispatch")
        self.env.invalidate_all()

    def test_template_says_what_it_is_about(self):
        self.assertEqual(self.template.purpose, "offers")
        cart = self.env.ref("marketing_automation.template_cart_1")
        self.assertEqual(cart.purpose, "cart")
        message = self._queue()
        self.template.purpose = "newsletter"
        self._send()
        self.assertEqual((message.state, message.reason), ("skipped", "no_consent"))

    def test_no_consent_is_needed_for_what_is_no_marketing(self):
        self._record("withdrawn", PURPOSE_KEYS)
        self.template.category = "transactional"
        [message] = self._queue_without_asking()
        self._send()
        self.assertEqual(message.state, "sent")

    def _queue_without_asking(self):
        messages = self.env["marketing.message"]
        messages._queue_partners(
            self.template, SQL("%s", self.kim.id), self.company, "quiet"
        )
        return messages.search([("dedupe_key", "like", "quiet:")])

    def test_withdrawing_takes_back_what_waits(self):
        message = self._queue(scheduled_at=fields.Datetime.now() + timedelta(days=1))
        self._record("withdrawn", ["newsletter"])
        self.assertEqual(message.state, "queued")
        self._record("withdrawn", ["offers"])
        self.assertEqual((message.state, message.reason), ("cancelled", "withdrawn"))

    def test_cart_reminders_need_consent_of_their_own(self):
        cart = self._abandon(self.kim)
        self._process_steps()
        self.assertEqual(cart.message_ids.reason, "no_consent")
        self.assertEqual(cart.enrollment_ids.state, "active", "they may agree later")
        other = self._create_customer("Lee", "lee@example.com")
        self._give_consent(other, "cart")
        reminded = self._abandon(other)
        self._process_steps()
        self._send()
        self.assertEqual(reminded.message_ids.state, "sent")

    def test_pause(self):
        message = self._queue()
        until = fields.Datetime.now() + timedelta(days=30)
        self.env["marketing.recipient"]._set_wishes(
            self.company, [EMAIL], paused_until=until
        )
        self._send()
        self.assertEqual((message.state, message.reason), ("queued", "paused"))
        self.assertEqual(message.scheduled_at, until)
        with self._at(until + timedelta(seconds=1)):
            self._send()
        self.assertEqual(message.state, "sent")

    def test_less_often(self):
        for frequency, days in (("weekly", 7), ("monthly", 30)):
            with self.subTest(frequency=frequency):
                person = self._create_customer("P", f"{frequency}@example.com")
                self.env["marketing.recipient"]._set_wishes(
                    self.company, [person.email_normalized], frequency=frequency
                )
                first = self._queue_to(person, self.template)
                second = self._queue_to(person, self.template)
                self._send()
                self.assertEqual(first.state, "sent")
                self.assertEqual(
                    (second.state, second.reason), ("queued", "less_often")
                )
                self.assertEqual(
                    second.scheduled_at, first.sent_at + timedelta(days=days)
                )

    def test_wishes_do_not_make_messages_more_frequent(self):
        self.company.email_cap_hours = 24 * 40
        self.env["marketing.recipient"]._set_wishes(
            self.company, [EMAIL], frequency="weekly"
        )
        first, second = self._queue(), self._queue()
        self._send()
        self.assertEqual(second.reason, "frequency_cap")
        self.assertEqual(second.scheduled_at, first.sent_at + timedelta(days=40))

    def test_missing_postal_address_holds_messages_back(self):
        message = self._queue()
        self.company.street = False
        self._send()
        self.assertEqual((message.state, message.reason), ("queued", "no_identity"))
        self.company.street = "Example Street 1"
        with self._at(fields.Datetime.now() + timedelta(hours=2)):
            self._send()
        self.assertEqual(message.state, "sent")
        self.assertIn("Example Street 1", message.body_html)

    def test_template_that_lost_its_footer_is_not_sent(self):
        """Written behind our back, or by an older version."""
        message = self._queue()
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "UPDATE marketing_template SET body_html = %s WHERE id = %s",
                '{"en_US": "<p>Hi {{ customer.name }} {{ unsubscribe_url }}</p>"}',
                self.template.id,
            )
        )
        self.env.invalidate_all()
        self._send()
        self.assertEqual((message.state, message.reason), ("failed", "rendering_error"))
        self.assertIn("postal address", message.reason_detail)


@tagged("post_install", "-at_install")
class TestConsentLog(ConsentCase):
    """The proof: what is written stays, and says all that was known."""

    def test_what_is_logged(self):
        self._record(
            "given",
            ["offers", "newsletter"],
            source="checkout",
            ip="192.0.2.7",
            text="Send me offers.",
        )
        log = self._get_log()
        self.assertEqual(set(log.mapped("purpose")), {"offers", "newsletter"})
        self.assertEqual(set(log.mapped("source")), {"checkout"})
        self.assertEqual(set(log.mapped("ip")), {"192.0.2.7"})
        self.assertEqual(log.text_id.text, "Send me offers.")
        self.assertEqual(set(log.mapped("address")), {EMAIL})
        self.assertEqual(log.company_id, self.company)

    def test_each_wording_is_kept_once(self):
        for text in ("A", " A ", "B"):
            self._record("given", ["offers"], text=text)
        texts = self._get_log().mapped("text_id.text")
        self.assertEqual(sorted(texts), ["A", "B"])

    def test_consent_again_is_proof_again_but_no_is_said_once(self):
        self.assertEqual(self._record("given", ["offers"]), 1)
        self.assertEqual(self._record("given", ["offers"]), 1)
        self.assertEqual(self._record("withdrawn", ["offers"]), 1)
        self.assertEqual(self._record("withdrawn", ["offers"]), 0)
        self.assertEqual(
            self._get_log().mapped("state"), ["withdrawn", "given", "given"]
        )

    def test_nobody_changes_it(self):
        self._record("given", ["offers"], text="Yes")
        log = self._get_log()
        for record, vals in ((log, {"ip": "x"}), (log.text_id, {"text": "No"})):
            for user in (self.env.user, self.env.ref("base.user_admin")):
                mine = record.with_user(user).sudo()
                with self.assertRaises(UserError):
                    mine.write(vals)
                with self.assertRaises(UserError):
                    mine.unlink()

    def test_nor_does_the_database(self):
        self._record("given", ["offers"])
        self.env.flush_all()
        for statement in (
            "UPDATE marketing_consent_log SET state = 'withdrawn'",
            "DELETE FROM marketing_consent_log",
            "TRUNCATE marketing_consent_log",
        ):
            with (
                self.subTest(statement=statement),
                mute_logger("odoo.sql_db"),
                self.assertRaisesRegex(DatabaseError, "never changed"),
                self.env.cr.savepoint(),
            ):
                self.env.cr.execute(statement)

    def test_contacts_can_be_deleted_and_merged(self):
        self._record("given", ["offers"])
        self.kim.unlink()
        self.assertEqual(len(self._get_log()), 1)

    def test_it_holds_no_address(self):
        self._record("given", ["offers"], ip="192.0.2.7", text="Yes")
        self.env["mail.blacklist"]._add(EMAIL)
        self.env.flush_all()
        self.env.cr.execute("SELECT log::text FROM marketing_consent_log log")
        self.assertNotIn(EMAIL, str(self.env.cr.fetchall()))

    def test_python_and_the_database_make_the_same_digest(self):
        self._record("given", ["offers"], addresses=["éva@example.com", EMAIL])
        key = self.env["marketing.suppression"]._get_address_key()
        self.assertEqual(len(key), 64)
        for preference in self.env["marketing.preference"].search([]):
            self.assertEqual(
                preference.address_hash, hash_address(key, preference.address)
            )

    def test_many_at_once(self):
        addresses = [f"p{n}@example.com" for n in range(1000)]
        count = self._record("given", ["offers", "cart"], addresses=addresses * 2)
        self.assertEqual(count, 2000)
        self.assertFalse(self._record("given", ["offers"], addresses=[False, ""]))


@tagged("post_install", "-at_install")
class TestConsentAndOdoo(ConsentCase):
    """What Odoo knows already is honoured, both ways."""

    def _subscribe(self, **vals):
        contact = self.env["mailing.contact"].create({"name": "Kim", "email": EMAIL})
        mailing_list = self.env["mailing.list"].create({"name": "News"})
        return self.env["mailing.subscription"].create(
            {"contact_id": contact.id, "list_id": mailing_list.id, **vals}
        )

    def test_who_left_a_mailing_list_hears_of_no_offers(self):
        self.company.consent_policy = "soft_opt_in"
        self._buy()
        subscription = self._subscribe()
        self.assertIsNone(self._why_not())
        subscription.opt_out = True
        for purpose, expected in (
            ("newsletter", "left_list"),
            ("offers", "left_list"),
            ("product_updates", "left_list"),
            ("cart", None),
            ("back_in_stock", None),
        ):
            self.assertEqual(self._why_not(purpose), expected, purpose)
        self.assertIsNone(self._why_not(channel="sms"))
        [line] = self._get_log()
        self.assertEqual(
            (line.purpose, line.state, line.source),
            ("newsletter", "withdrawn", "mailing_list"),
        )

    def test_the_last_word_counts(self):
        self._record("given", ["offers"])
        subscription = self._subscribe()
        with self._at(fields.Datetime.now() + timedelta(hours=1)):
            subscription.opt_out = True
            # Its time is computed when it is written.
            subscription.flush_recordset()
        self.assertEqual(self._why_not(), "left_list")
        with self._at(fields.Datetime.now() + timedelta(hours=2)):
            self._record("given", ["offers"])
        self.assertIsNone(self._why_not())

    def test_mailing_lists_learn_of_it(self):
        subscription = self._subscribe()
        self._record("withdrawn", ["offers"])
        self.assertFalse(subscription.opt_out)
        self._record("withdrawn", ["newsletter"])
        self.assertTrue(subscription.opt_out)
        self.assertEqual(len(self._get_log()), 2, "said once, logged once")

    def test_blacklisting_is_logged(self):
        self.env["mail.blacklist"]._add(EMAIL)
        self.env["mail.blacklist"].create({"email": EMAIL})
        self.env["phone.blacklist"]._add([NUMBER])
        for address, channel in ((EMAIL, "email"), (NUMBER, "sms")):
            [line] = self._get_log(address)
            self.assertEqual(
                (line.purpose, line.state, line.source, line.channel),
                ("all", "withdrawn", "blacklist", channel),
            )

    def test_unsubscribing_is_for_everything(self):
        self._record("given", PURPOSE_KEYS)
        for address, channel in ((EMAIL, "email"), (NUMBER, "sms")):
            self.env["marketing.preference"]._withdraw_all(
                self.company, channel, address, "unsubscribe_link", "192.0.2.7"
            )
            for purpose in PURPOSE_KEYS:
                self.assertEqual(self._why_not(purpose, channel), "opted_out")
            last = self._get_log(address)[0]
            self.assertEqual((last.source, last.ip), ("unsubscribe_link", "192.0.2.7"))

    def test_who_comes_back_gets_what_they_ask_for_now_and_no_more(self):
        other = self.env["res.company"].create({"name": "B"})
        self._record("given", PURPOSE_KEYS)
        self._record("given", PURPOSE_KEYS, company=other)
        self.env["mail.blacklist"]._add(EMAIL)
        self._record("given", ["cart"], lift_suppression=True, source="double_opt_in")
        self.assertIsNone(self._why_not("cart"))
        self.assertEqual(self._why_not("offers"), "withdrawn")
        self.assertEqual(self._why_not("cart", company=other), "withdrawn")

    def test_staff_does_not_lift_a_blacklist(self):
        self.env["mail.blacklist"]._add(EMAIL)
        self._record("given", ["offers"])
        self.assertEqual(self._why_not(), "opted_out")

    def test_forgotten_address_stays_blocked_until_the_person_agrees(self):
        self.env["marketing.suppression"]._add([EMAIL])
        self._record("given", ["offers"])
        self.assertEqual(self._why_not(), "opted_out")
        self._record("given", ["offers"], lift_suppression=True)
        self.assertIsNone(self._why_not())


@tagged("post_install", "-at_install")
class TestRecordConsent(ConsentCase):
    """What staff was told."""

    def _open(self, partners, **vals):
        action = self.env.ref("marketing_automation.action_marketing_record_consent")
        context = {"active_ids": partners.ids, "active_model": "res.partner"}
        context |= safe_eval(action.context, context)
        manager = new_test_user(
            self.env,
            f"m{len(self.env['res.users'].search([]))}",
            groups="marketing_automation.group_marketing_manager",
        )
        wizards = self.env["marketing.record.consent"].with_user(manager)
        with Form(wizards.with_context(**context)) as form:
            for name, value in vals.items():
                form[name] = value
        return form.record

    def test_withdrawing_is_the_default(self):
        self._record("given", ["offers", "cart"])
        self._open(self.kim).action_record()
        self.assertEqual(self._why_not("offers"), "withdrawn")
        self.assertIsNone(self._why_not("cart"))

    def test_consent_needs_a_proof(self):
        wizard = self._open(self.kim, state="given", text="Signed at the fair")
        wizard.text = "  "
        with self.assertRaisesRegex(UserError, "how you know"):
            wizard.action_record()
        wizard.text = "Signed at the fair"
        wizard.action_record()
        self.assertIsNone(self._why_not("offers"))
        [line] = self._get_log()
        self.assertEqual(line.source, "staff")
        self.assertIn("Signed at the fair (entered by", line.text_id.text)

    def test_several_contacts_and_purposes(self):
        nobody = self._create_customer("No", False)
        lee = self._create_customer("Lee", "lee@example.com")
        wizard = self._open(
            self.kim | nobody | lee, state="given", purpose="all", text="Fair"
        )
        self.assertEqual(wizard.unreachable_count, 1)
        wizard.action_record()
        for person in (self.kim, lee):
            for purpose in PURPOSE_KEYS:
                self.assertIsNone(self._why_not(purpose, partners=person))

    def test_without_any_address(self):
        wizard = self._open(self._create_customer("No", False))
        with self.assertRaisesRegex(UserError, "None of these contacts"):
            wizard.action_record()

    def test_contact_leads_to_it(self):
        self._record("given", ["offers", "cart"])
        self._record("given", ["offers"], "sms")
        self._record("withdrawn", ["newsletter"])
        self.assertEqual(self.kim.marketing_consent_count, 3)
        action = self.kim.action_view_marketing_consent()
        found = self.env[action["res_model"]].search(action["domain"])
        self.assertEqual(len(found), 4)
        log = self.env["marketing.consent.log"].search(
            found[:1].action_view_log()["domain"]
        )
        self.assertEqual(len(log), 1)
