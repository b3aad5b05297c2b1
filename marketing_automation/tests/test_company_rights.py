from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .test_security import MODELS, SHARED_MODELS, WIZARDS, TestSecurity
from .world import GROUP_MANAGER

SECRET = "SECRET-A"


@tagged("post_install", "-at_install")
class TestCompanyRights(TestSecurity):
    """Who works in one company changes nothing of another, and speaks for none."""

    # The walks of the parent class run there.
    allow_inherited_tests_method = False

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager_b = cls.users["manager of B"]
        cls.manager_of_both = new_test_user(
            cls.env,
            "ma_manager_both",
            groups=GROUP_MANAGER,
            company_id=cls.company.id,
            company_ids=[Command.set(cls.env["res.company"].search([]).ids)],
        )
        cls.contact_a = cls._create_customer(
            f"{SECRET} Carl", "carl@example.com", company_id=cls.company.id
        )

    def _editable_models(self):
        return [
            model
            for model, roles in MODELS.items()
            if "w" in roles["manager"] or "w" in roles["admin"]
        ]

    # === MOVING ===#

    def test_nothing_is_written_into_another_company(self):
        """Neither by its own company, nor by what it hangs on."""
        for model in self._editable_models():
            fields = self.env[model]._fields
            if not fields["company_id"].store:
                continue
            user = (
                self.manager_b if "w" in MODELS[model]["manager"] else self._admin_b()
            )
            own = self._owned_by(self.company_b, model)[0].with_user(user)
            for company_id in (self.company.id, False):
                if company_id is False and user.marketing_edits_shared:
                    continue
                # Who belongs to a company always does: the database says so.
                is_bound = company_id is False and fields["company_id"].required
                refusal = IntegrityError if is_bound else UserError
                with (
                    self.subTest(model=model, company=company_id),
                    self.assertRaises(refusal),
                    mute_logger("odoo.sql_db", "odoo.addons.base.models.ir_rule"),
                    self.env.cr.savepoint(),
                ):
                    own.write({"company_id": company_id})
                    self.env.flush_all()
                self.env.invalidate_all()
                self.assertEqual(own.sudo().company_id, self.company_b)
                with (
                    self.subTest(model=model, created_in=company_id),
                    self.assertRaises(refusal),
                    mute_logger("odoo.sql_db", "odoo.addons.base.models.ir_rule"),
                    self.env.cr.savepoint(),
                ):
                    own.copy({"company_id": company_id})
                    self.env.flush_all()
                self.env.invalidate_all()

    def _admin_b(self):
        return new_test_user(
            self.env,
            f"ma_admin_b_{self.env['res.users'].search_count([])}",
            groups=f"{GROUP_MANAGER},base.group_system",
            company_id=self.company_b.id,
            company_ids=[Command.set(self.company_b.ids)],
        )

    def test_who_works_in_both_moves_records(self):
        segment = self._create_segment(self.company).with_user(self.manager_of_both)
        segment.company_id = self.company_b
        self.assertEqual(segment.company_id, self.company_b)

    def test_nothing_is_hung_on_a_record_of_another_company(self):
        """A step into a sequence, a condition into a segment, a variant into a test."""
        walked = set()
        for model in self._editable_models():
            for name, field in self.env[model]._fields.items():
                if field.type != "many2one" or field.comodel_name not in MODELS:
                    continue
                if (
                    not field.store
                    or field.comodel_name == "marketing.sequence.version"
                ):
                    continue
                walked.add(f"{model}.{name}")
                foreign = self._owned_by(self.company, field.comodel_name)[0]
                if "name" in foreign._fields:
                    foreign.name = SECRET
                own = self._owned_by(self.company_b, model)[0]
                own = own.with_user(self.manager_b)
                before = own.sudo()[name]
                with (
                    self.subTest(model=model, field=name),
                    self.assertRaises(AccessError) as caught,
                    mute_logger("odoo.addons.base.models.ir_rule"),
                ):
                    own.write({name: foreign.id})
                self.assertNotIn(SECRET, str(caught.exception))
                self.env.invalidate_all()
                self.assertEqual(own.sudo()[name], before)
        self.assertLessEqual(
            {
                "ab.test.campaign_id",
                "ab.test.variant.test_id",
                "customer.segment.condition.segment_id",
                "customer.segment.condition.other_segment_id",
                "email.campaign.sequence_id",
                "email.campaign.template_id",
                "marketing.coupon.tier.coupon_id",
                "marketing.sequence.segment_id",
                "marketing.sequence.condition.segment_id",
                "marketing.sequence.condition.step_id",
                "marketing.sequence.step.sequence_id",
                "marketing.sequence.step.template_id",
            },
            walked,
        )

    # === NAMING ===#

    def test_dialogs_name_nothing_of_another_company(self):
        """Every relation of every dialog, created, written and asked by a form."""
        foreign = self._get_foreign_records()
        walked = set()
        for model, roles in WIZARDS.items():
            if "c" not in roles["manager"]:
                continue
            dialogs = self.env[model].with_user(self.manager_b)
            for name, field in dialogs._fields.items():
                if not field.relational or not field.store or field.related:
                    continue
                record = foreign.get(field.comodel_name)
                if record is None or name in ("create_uid", "write_uid"):
                    continue
                walked.add(f"{model}.{name}")
                many = field.type == "many2many"
                values = (
                    [[Command.set(record.ids)], [Command.link(record.id)]]
                    if many
                    else [record.id]
                )
                for value in values:
                    attempts = {
                        "create": lambda d=dialogs, n=name, v=value: d.create({n: v}),
                        "default": lambda d=dialogs, n=name, v=value: d.with_context(
                            **{f"default_{n}": v}
                        ).create({}),
                        "form": lambda d=dialogs, n=name, v=value: d.onchange(
                            {n: v}, [n], {n: {"fields": {"display_name": {}}}}
                        ),
                    }
                    for attempt, call in attempts.items():
                        with (
                            self.subTest(model=model, field=name, attempt=attempt),
                            self.assertRaises(AccessError) as caught,
                            mute_logger("odoo.addons.base.models.ir_rule"),
                            self.env.cr.savepoint(),
                        ):
                            call()
                        self.assertNotIn(SECRET, str(caught.exception))
        self.assertEqual(
            walked,
            {
                "customer.segment.add.partner_ids",
                "customer.segment.add.segment_id",
                "customer.segment.import.segment_id",
                "email.campaign.schedule.campaign_id",
                "email.campaign.test.campaign_id",
                "email.campaign.test.partner_ids",
                "marketing.message.send.again.message_ids",
                "marketing.privacy.wizard.partner_id",
                "marketing.record.consent.company_id",
                "marketing.record.consent.partner_ids",
                "marketing.sequence.replay.sequence_id",
            },
        )

    def _get_foreign_records(self):
        """Return a record of company A by model, with a name that must not be told."""
        segment = self._create_segment(self.company)
        sequence = self._create_sequence(self.company)
        campaign = self._create_campaign(self.company)
        for record in (segment, sequence, campaign):
            record.name = SECRET
        self.env.flush_all()
        return {
            "res.partner": self.contact_a,
            "res.company": self.company,
            "customer.segment": segment,
            "marketing.sequence": sequence,
            "email.campaign": campaign,
            "marketing.message": self.cart.message_ids[:1],
        }

    def test_dialogs_ask_again_when_they_are_used(self):
        """What could be seen when a dialog was opened may be gone from sight since."""
        contact = self._create_customer("Moved", "moved@example.com")
        privacy = self.env["marketing.privacy.wizard"].with_user(self.manager_b)
        privacy = privacy.create({"partner_id": contact.id})
        consent = self.env["marketing.record.consent"].with_user(self.manager_b)
        consent = consent.create(
            {"partner_ids": contact.ids, "state": "given", "text": "Said so"}
        )
        contact.company_id = self.company
        self.env.flush_all()
        self.env.invalidate_all()
        for action in (
            privacy.action_export,
            privacy.action_forget,
            consent.action_record,
        ):
            with (
                self.subTest(action.__name__),
                self.assertRaises(AccessError),
                mute_logger("odoo.addons.base.models.ir_rule"),
            ):
                action()
        self.assertFalse(privacy.is_valid)

    def test_consent_is_recorded_in_nobody_elses_name(self):
        dialogs = self.env["marketing.record.consent"].with_user(self.manager_b)
        log = self.env["marketing.consent.log"]
        before = log.search_count([])
        vals = {
            "partner_ids": self.customer.ids,
            "purpose": "all",
            "state": "given",
            "text": "forged",
        }
        with (
            self.assertRaises(AccessError),
            mute_logger("odoo.addons.base.models.ir_rule"),
        ):
            dialogs.create({**vals, "company_id": self.company.id}).action_record()
        dialog = dialogs.create(vals)
        with (
            self.assertRaises(AccessError),
            mute_logger("odoo.addons.base.models.ir_rule"),
        ):
            dialog.write({"company_id": self.company.id})
        # Whatever the dialog says: it asks when it is used.
        self.env.cr.execute(
            "UPDATE marketing_record_consent SET company_id = %s WHERE id = %s",
            (self.company.id, dialog.id),
        )
        self.env.invalidate_all()
        with (
            self.assertRaises(AccessError),
            mute_logger("odoo.addons.base.models.ir_rule"),
        ):
            dialog.action_record()
        self.assertEqual(log.search_count([]), before)

    # === PRIVACY ===#

    def test_privacy_requests_stay_in_ones_companies(self):
        """The contact, orders and visits count, not our own tables alone."""
        privacy = self.env["marketing.privacy"].with_user(self.manager_b)
        shared = {
            "contact": self.contact_a,
            "order": self._create_customer("Dora", "dora@example.com"),
            "typed": self._create_customer("Emil", "emil@example.com"),
            "visit": self._create_customer("Fay", "fay@example.com"),
        }
        self.env["sale.order"].create(
            {"partner_id": shared["order"].id, "client_order_ref": SECRET}
        )
        self.env["sale.order"].create(
            {
                "partner_id": self.customer.id,
                "typed_email": "emil@example.com",
                "typed_email_normalized": "emil@example.com",
            }
        )
        self.env["website.visitor"].create(
            {"partner_id": shared["visit"].id, "access_token": shared["visit"].id}
            | {"website_id": self.website.id}
        )
        self.env.flush_all()
        before = self.env["marketing.suppression"].search_count([])
        for what, contact in shared.items():
            dialogs = self.env["marketing.privacy.wizard"].with_user(self.manager_b)
            dialog = dialogs.create({"address": contact.email})
            person = dialog._find_person()
            with (
                self.subTest(what),
                mute_logger("odoo.addons.base.models.ir_rule"),
            ):
                for call in (
                    dialog.action_export,
                    dialog.action_forget,
                    lambda person=person: privacy._export(person),
                    lambda person=person: privacy._forget(person),
                ):
                    with self.assertRaises(UserError):
                        call()
                self.assertFalse(dialog.is_valid)
                self.assertNotIn("<table", dialog.summary)
                self.assertNotIn(SECRET, dialog.summary)
        self.assertEqual(self.env["marketing.suppression"].search_count([]), before)
        # Of somebody whom their own company alone knows.
        own = self._create_customer(
            "Gil", "gil@example.com", company_id=self.company_b.id
        )
        dialog = dialogs.create({"partner_id": own.id})
        self.assertTrue(dialog.is_valid)
        self.assertTrue(privacy._export(dialog._find_person()))
        # An email that is about no document may be another company's.
        mail = self.env["mail.message"].create(
            {"email_from": "gil@example.com", "body": SECRET, "message_type": "email"}
        )
        self.assertEqual(privacy.sudo()._find_emails(dialog._find_person()), [])
        everywhere = self.env["marketing.privacy"].with_user(self.manager_of_both)
        self.assertEqual(
            everywhere.sudo()._find_emails(dialog._find_person()), mail.ids
        )
        both = self.env["marketing.privacy.wizard"].with_user(self.manager_of_both)
        self.assertTrue(both.create({"address": "dora@example.com"}).is_valid)

    # === WHAT IS SHARED ===#

    def test_shared_records_are_changed_by_those_of_all_companies(self):
        shared = self._get_shared_records()
        self.assertEqual(set(shared), SHARED_MODELS - {"marketing.sequence.version"})
        for model, record in shared.items():
            vals = self._get_harmless_change(record)
            for role in ("manager", "manager of B"):
                mine = self._as(role, record)
                self.assertTrue(mine.read(["display_name"]))
                for call in (
                    lambda mine=mine, vals=vals: mine.write(vals),
                    lambda mine=mine: mine.unlink(),
                ):
                    with (
                        self.subTest(model=model, role=role),
                        self.assertRaises(AccessError),
                        mute_logger("odoo.addons.base.models.ir_rule"),
                        self.env.cr.savepoint(),
                    ):
                        call()
            if "w" in MODELS[model]["manager"]:
                with self.subTest(model=model, role="manager of both"):
                    record.with_user(self.manager_of_both).write(vals)
            with self.subTest(model=model, role="admin"):
                self._as("admin", record).write(vals)

    def _get_shared_records(self):
        sequence = self._create_sequence()
        coupon = self.env["marketing.coupon"].create(
            {
                "name": "C",
                "kind": "tiered",
                "tier_ids": [Command.create({"amount_from": 0, "percent": 5})],
            }
        )
        provider = self.env["marketing.provider"].create(
            {
                "name": "P",
                "throttle_ids": [Command.create({"domain": "example.com"})],
            }
        )
        self.env.flush_all()
        return {
            "marketing.sequence": sequence,
            "marketing.sequence.step": sequence.step_ids,
            "marketing.sequence.condition": sequence.step_ids.condition_ids,
            "marketing.coupon": coupon,
            "marketing.coupon.tier": coupon.tier_ids,
            "marketing.template": self._create_template(),
            "marketing.provider": provider,
        }

    def _get_harmless_change(self, record):
        values = {"percent": 7, "name": "Changed", "kind": "returned"}
        name = next(name for name in values if name in record._fields)
        return {name: values[name]}

    def test_one_company_notices_nothing(self):
        """Who works in all companies there are changes and makes shared records."""
        self.env["res.company"].search([("id", "!=", self.company_b.id)])
        manager = self.manager_of_both
        self.assertTrue(manager.marketing_edits_shared)
        template = self.env["marketing.template"].with_user(manager)
        made = template.create({"name": "T", "subject": "S"})
        self.assertFalse(made.company_id)
        self.assertFalse(made.copy().company_id)
        # A company that comes later is none they work in.
        self.env["res.company"].sudo().create({"name": "Company C"})
        self.env.invalidate_all()
        self.assertFalse(manager.marketing_edits_shared)
        with (
            self.assertRaises(AccessError),
            mute_logger("odoo.addons.base.models.ir_rule"),
        ):
            made.name = "Changed"

    def test_what_a_manager_of_one_company_makes_belongs_to_it(self):
        for model in ("marketing.template", "marketing.sequence", "marketing.coupon"):
            shared = self._get_shared_records()[model].with_user(self.manager_b)
            vals = {"name": "Mine"}
            if model == "marketing.template":
                vals["subject"] = "S"
            with self.subTest(model):
                made = shared.create(vals)
                self.assertEqual(made.company_id, self.company_b)
                self.assertEqual(shared.copy().company_id, self.company_b)
                with (
                    self.assertRaises(AccessError),
                    mute_logger("odoo.addons.base.models.ir_rule"),
                    self.env.cr.savepoint(),
                ):
                    shared.create({**vals, "company_id": False})

    def test_a_sequence_is_duplicated_for_ones_company(self):
        """With its texts and coupons, and in front of the one of all companies."""
        self.sequence.step_ids[0].write(
            {
                "coupon_use": "new",
                "coupon_id": self.env.ref("marketing_automation.coupon_tiered").id,
            }
        )
        shared = self.sequence.with_user(self.manager_b)
        action = shared.action_duplicate_for_company()
        own = shared.browse(action["res_id"])
        self.assertEqual(own.company_id, self.company_b)
        self.assertEqual(len(own.step_ids), len(shared.step_ids))
        self.assertLess(own.sequence, shared.sequence)
        templates = own.step_ids.template_id
        self.assertEqual(templates.company_id, self.company_b)
        self.assertEqual(
            templates.mapped("body_html"),
            shared.step_ids.template_id.mapped("body_html"),
        )
        self.assertEqual(own.step_ids[0].coupon_id.company_id, self.company_b)
        own.step_ids[0].template_id.subject = "Our own words"
        self.assertNotEqual(shared.step_ids[0].template_id.subject, "Our own words")

    # === STATES ===#

    def test_states_and_figures_are_written_by_nobody(self):
        """No review is skipped and no figure made up by a program."""
        manager = self.users["manager"]
        walked = set()
        for model in self._editable_models():
            records = self._owned_by(self.company, model)[0].with_user(manager)
            # Clients that name a writer are not heard: see TestSegmentRights.
            for name in sorted(records._get_locked_fields() - {"writer_id"}):
                field = records._fields[name]
                value = self._get_other_value(field, records.sudo()[name])
                walked.add(f"{model}.{name}")
                with (
                    self.subTest(model=model, field=name),
                    self.assertRaises(AccessError),
                ):
                    records.write({name: value})
                if field.copy:
                    continue
                with (
                    self.subTest(model=model, created=name),
                    self.assertRaises(AccessError),
                ):
                    records.create({name: value})
        self.assertLessEqual(
            {
                "ab.test.state",
                "ab.test.winner_id",
                "customer.segment.size",
                "customer.segment.last_error",
                "email.campaign.state",
                "email.campaign.started_at",
                "email.campaign.revenue",
                "email.campaign.is_rescheduling",
            },
            walked,
        )
        campaign = self._create_campaign(self.company).with_user(manager)
        made = campaign.with_context(default_state="running").create({"name": "X"})
        self.assertEqual(made.state, "draft")
        campaign.write({"state": "draft", "name": "Sent back as it was read"})
        self.assertEqual(campaign.name, "Sent back as it was read")

    def _get_other_value(self, field, current):
        """Return a value that a field does not have."""
        if field.type == "selection":
            values = field.get_values(self.env)
            return next(value for value in values if value != current)
        if field.type in ("integer", "float", "monetary"):
            return (current or 0) + 1
        if field.type == "boolean":
            return not current
        if field.type == "many2one":
            others = self.env[field.comodel_name].search([]) - current
            return others[:1].id or 2**30
        if field.relational:
            return [Command.clear()]
        if field.type == "datetime":
            return "2001-01-01 00:00:00"
        if field.type == "date":
            return "2001-01-01"
        return {"x": 1} if field.type == "json" else "something else"

    # === WHAT IS TOLD ===#

    def test_conditions_look_at_segments_of_their_company(self):
        segment = self._create_segment(self.company)
        segment.name = SECRET
        own = self._create_sequence(self.company_b)
        condition = own.step_ids.condition_ids
        for records, vals in (
            (condition, {"kind": "in_segment", "segment_id": segment.id}),
            (own, {"segment_id": segment.id}),
        ):
            for user in (self.manager_b, self.manager_of_both):
                with (
                    self.subTest(model=records._name, user=user.login),
                    self.assertRaises(UserError) as caught,
                    mute_logger("odoo.addons.base.models.ir_rule"),
                    self.env.cr.savepoint(),
                ):
                    records.with_user(user).write(vals)
                    self.env.flush_all()
                self.env.invalidate_all()
                if user == self.manager_b:
                    self.assertNotIn(SECRET, str(caught.exception))
        # Nor does a sequence with such a condition go to another company.
        shared = self._create_sequence()
        shared.step_ids.condition_ids.write(
            {"kind": "in_segment", "segment_id": segment.id}
        )
        with self.assertRaises(UserError), self.env.cr.savepoint():
            shared.company_id = self.company_b
            self.env.flush_all()

    def test_shared_sequences_name_no_segment_of_a_company(self):
        """Neither on a step, nor in what is kept about an edit."""
        segment = self._create_segment(self.company)
        segment.name = SECRET
        shared = self._create_sequence()
        editor = shared.with_user(self.manager_of_both)
        editor.step_ids.condition_ids.write(
            {"kind": "in_segment", "segment_id": segment.id}
        )
        editor.segment_id = segment
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertIn(SECRET, editor.step_ids.condition_ids.summary)
        reader = shared.with_user(self.manager_b)
        self.assertNotIn(SECRET, reader.step_ids.condition_ids.summary)
        self.assertIn("…", reader.step_ids.condition_ids.summary)
        self.assertNotIn(SECRET, reader.step_ids.conditions_words)
        told = "".join(reader.version_ids.mapped("summary"))
        self.assertIn("…", told)
        self.assertNotIn(SECRET, told)

    def test_previews_name_no_segment_of_another_company(self):
        """Somebody who is a customer of both is in segments of both."""
        for company in (self.company, self.company_b):
            segment = self.env["customer.segment"].create(
                {
                    "name": f"VIP of {company.id}",
                    "kind": "static",
                    "company_id": company.id,
                }
            )
            segment.add_contacts(self.customer.ids)
        template = self._create_contact_template(
            company_id=self.company_b.id,
            body_html="<p>{{ segments|join(' and ') }}</p>",
        )
        answer = template.with_user(self.manager_b).get_preview(
            {
                "template_id": template.id,
                "channel": "email",
                "context": "contact",
                "category": "marketing",
                "company_id": self.company_b.id,
                "record_id": self.customer.id,
            }
        )
        self.assertFalse(answer["errors"])
        self.assertIn(f"VIP of {self.company_b.id}", answer["html"])
        self.assertNotIn(f"VIP of {self.company.id}<", answer["html"])
        self.assertNotIn(f"VIP of {self.company.id} ", answer["html"])

    def test_who_was_forgotten_is_known_to_marketing_alone(self):
        self.env["marketing.suppression"]._add(["carl@example.com"])
        self.env.flush_all()
        for role in ("employee", "portal"):
            contact = self._as(role, self.users[role].partner_id)
            self.assertNotIn("marketing_is_forgotten", contact.fields_get())
            for call in (
                lambda contact=contact: contact.read(["marketing_is_forgotten"]),
                lambda contact=contact: contact.search_count(
                    [("marketing_is_forgotten", "=", True)]
                ),
            ):
                with self.subTest(role), self.assertRaises(AccessError):
                    call()
        # Who saves a contact need not know; it is marked all the same.
        keeper = new_test_user(
            self.env, "ma_keeper", groups="base.group_user,base.group_partner_manager"
        )
        contact = self.env["res.partner"].with_user(keeper)
        contact = contact.create({"name": "Carl", "email": "carl@example.com"})
        self.assertTrue(contact.sudo().marketing_is_forgotten)
        contact.email = "other@example.com"
        self.assertFalse(contact.sudo().marketing_is_forgotten)
