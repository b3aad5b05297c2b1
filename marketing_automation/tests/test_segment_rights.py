import json
from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL, mute_logger

from .segment_common import SegmentCase
from .world import GROUP_MANAGER, GROUP_USER, create_other_shop

# Ways to ask for what record rules hide, all of them through a contact.
CHAT = "channel_ids.message_ids.body"


@tagged("post_install", "-at_install")
class TestSegmentRights(SegmentCase):
    """A segment tells nothing that its writer, or who looks at it, may not see."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company_b, cls.website_b = create_other_shop(cls)
        cls.user = new_test_user(cls.env, "rights_user", groups=GROUP_USER)
        cls.manager = new_test_user(cls.env, "rights_manager", groups=GROUP_MANAGER)
        cls.seller = new_test_user(
            cls.env,
            "rights_seller",
            groups=f"{GROUP_MANAGER},sales_team.group_sale_salesman_all_leads",
        )
        chat = cls.env["discuss.channel"].create(
            {"name": "board-secret", "channel_type": "group"}
        )
        chat._add_members(partners=cls.anna)
        chat.message_post(body="launch code is ZEBRA7", message_type="comment")
        cls.order_b = cls.env["sale.order"].create(
            {
                "partner_id": cls.bob.id,
                "company_id": cls.company_b.id,
                "website_id": cls.website_b.id,
                "client_order_ref": "SECRET-B-1",
            }
        )
        cls.order_a = cls.env["sale.order"].create(
            {"partner_id": cls.cleo.id, "client_order_ref": "PLAIN-A-1"}
        )
        cls.env.flush_all()

    def _segments(self, user):
        return self.env["customer.segment"].with_user(user)

    def _preview(self, user, *domain):
        condition = {"domain": [list(leaf) for leaf in domain]}
        question = {
            "kind": "dynamic",
            "criteria": f'{{"conditions": [{json.dumps(condition)}]}}',
            "company_id": self.company.id,
        }
        return self._segments(user).get_preview(question)

    def _reach(self, user, *domain):
        condition = {"domain": [list(leaf) for leaf in domain]}
        answer = self._segments(user).get_reach(
            {
                "kind": "dynamic",
                "criteria": f'{{"conditions": [{json.dumps(condition)}]}}',
            }
        )
        return sum(
            channel["reachable"] + sum(r["count"] for r in channel["reasons"])
            for channel in answer["channels"]
        )

    def _own_count(self, user, *domain):
        try:
            return self.env["res.partner"].with_user(user).search_count(list(domain))
        except AccessError:
            return 0

    def test_readers_ask_with_no_conditions_of_their_own(self):
        for method in ("get_preview", "get_reach"):
            question = {
                "kind": "dynamic",
                "criteria": '{"conditions": [{"field": "name", "value": "Bob"}]}',
            }
            segment = self._create_segment({"field": "name", "value": "Anna Smith"})
            for saved in ({}, {"segment_id": segment.id}):
                with self.subTest(method=method, saved=saved):
                    with self.assertRaises(AccessError):
                        getattr(self._segments(self.user), method)(
                            {**question, **saved}
                        )
        # What is saved they may look at, as their screen does.
        answer = self._segments(self.user).get_preview(
            {
                "kind": "dynamic",
                "segment_id": segment.id,
                "criteria": segment.criteria,
            }
        )
        self.assertEqual(answer["size"], 1)

    def test_previews_find_what_their_user_may_see(self):
        """Chats, devices, orders of another company, in paths and in sub-domains."""
        asked = (
            [(CHAT, "like", "launch code is Z")],
            [("channel_ids", "any", [("message_ids.body", "like", "ZEBRA7")])],
            [("channel_ids.name", "=", "board-secret")],
            [("message_ids.body", "like", "ZEBRA7")],
            [("user_ids.device_ids.ip_address", "!=", False)],
            [("sale_order_ids.client_order_ref", "=like", "SECRET-B%")],
            [("sale_order_ids", "any", [("client_order_ref", "like", "SECRET-B")])],
            [("parent_id.sale_order_ids.client_order_ref", "like", "SECRET")],
        )
        for user in (self.manager, self.seller):
            for domain in asked:
                with self.subTest(user=user.login, domain=domain):
                    own = self._own_count(user, *domain)
                    with mute_logger("odoo.addons.base.models.ir_rule"):
                        self.assertEqual(self._preview(user, *domain)["size"], own)
                        self.assertEqual(self._reach(user, *domain), own * 2)
        # The same questions find something for those who may see it.
        superuser = self.env["res.partner"]
        self.assertEqual(superuser.search_count([(CHAT, "like", "ZEBRA7")]), 1)
        self.assertEqual(
            self._preview(
                self.seller, ("sale_order_ids.client_order_ref", "=", "PLAIN-A-1")
            )["size"],
            1,
        )

    def test_paths_through_our_figures_are_no_way_around(self):
        """A figure that leads to a category leads no further than the user may go."""
        product = self.product.product_tmpl_id
        category = self.env["product.public.category"].create({"name": "Mugs"})
        product.public_categ_ids = category
        product.message_post(body="purchase price ZEBRA8")
        self.env["marketing.customer.metrics"]._refresh_all()
        metrics = self.env["marketing.customer.metrics"].search([], limit=1)
        metrics.favourite_category_id = category
        path = "marketing_favourite_category_id.product_tmpl_ids.message_ids.body"
        self.env.flush_all()
        seen = self._preview(self.manager, (path, "like", "ZEBRA8"))["size"]
        self.assertEqual(seen, self._own_count(self.manager, (path, "like", "ZEBRA8")))
        messages = self.env["mail.message"].with_user(self.manager)
        if not messages.search_count([("body", "like", "ZEBRA8")]):
            self.assertEqual(seen, 0)

    def test_stored_segments_have_the_rights_of_their_writers(self):
        def refresh(writer, *domain):
            segment = self._segments(writer).create({"name": "Asked"})
            segment.set_criteria({"conditions": [{"domain": [*map(list, domain)]}]})
            # The scheduled action works as the superuser.
            segment = segment.sudo().with_user(self.env.ref("base.user_root"))
            segment._refresh()
            self.assertFalse(segment.last_error)
            return self._members(segment)

        nobody = self.env["res.partner"]
        secret = ("sale_order_ids.client_order_ref", "like", "SECRET-B")
        plain = ("sale_order_ids.client_order_ref", "like", "PLAIN-A")
        self.assertEqual(refresh(self.seller, secret), nobody)
        self.assertEqual(refresh(self.seller, plain), self.cleo)
        self.assertEqual(refresh(self.manager, (CHAT, "like", "ZEBRA7")), nobody)
        # What is about contacts alone does not depend on who wrote it.
        self.assertEqual(refresh(self.manager, ("name", "=", "Bob")), self.bob)

    def test_nobody_names_another_writer(self):
        segment = self._segments(self.manager).create({"name": "Mine"})
        vals = {"domain": f"[('{CHAT}', 'like', 'ZEBRA7')]", "writer_id": 1}
        segment.condition_ids = [Command.create(vals)]
        condition = segment.condition_ids
        self.assertEqual(condition.sudo().writer_id, self.manager)
        condition.write({"writer_id": self.env.ref("base.user_root").id})
        self.assertEqual(condition.sudo().writer_id, self.manager)
        context = {"default_writer_id": 1}
        other = condition.with_context(**context).copy()
        self.assertEqual(other.sudo().writer_id, self.manager)

    def test_who_copies_or_changes_a_condition_is_its_writer(self):
        segment = self._create_segment({"domain": [[CHAT, "like", "ZEBRA7"]]})
        self.assertEqual(segment.condition_ids.writer_id.id, self.env.uid)
        segment._refresh()
        self.assertEqual(self._members(segment), self.anna)
        copy = segment.with_user(self.manager).copy()
        self.assertEqual(copy.sudo().condition_ids.writer_id, self.manager)
        copy.sudo()._refresh()
        self.assertFalse(self._members(copy.sudo()))
        changed = segment.condition_ids.with_user(self.manager)
        changed.domain = f"[('{CHAT}', 'like', 'Z')]"
        segment._refresh()
        self.assertFalse(self._members(segment))

    def test_without_its_writer_a_condition_says_what_to_do(self):
        leaver = new_test_user(self.env, "rights_leaver", groups=GROUP_MANAGER)
        segment = self._segments(leaver).create({"name": "Left"})
        segment.set_criteria({"conditions": [{"domain": [["user_id", "=", False]]}]})
        segment = segment.sudo()
        segment._refresh()
        size = segment.size
        self.assertGreater(size, 2)
        # Somebody who left the company: as before.
        leaver.active = False
        segment._refresh()
        self.assertEqual(segment.size, size)
        segment.condition_ids.writer_id = False
        self.env.cr.execute("UPDATE customer_segment_condition SET writer_id = NULL")
        self.env.invalidate_all()
        segment._refresh_in_cron()
        self.assertIn("Save the condition anew", segment.last_error)
        self.assertEqual(segment.size, size)
        segment.condition_ids.domain = "[('user_id', '=', False)]"
        segment._refresh_in_cron()
        self.assertFalse(segment.last_error)

    # === WHAT STANDS ON SCREENS ===#

    def test_sentences_name_what_their_reader_may_see(self):
        hidden = self._create_customer(
            "Bob OnlyB", "onlyb@example.com", company_id=self.company_b.id
        )
        account = self.env["res.partner.bank"].create(
            {"acc_number": "60-16-13 31926819", "partner_id": self.anna.id}
        )
        chat = self.env["discuss.channel"].search([("name", "=", "board-secret")])
        segment = self._segments(self.manager).create({"name": "Names"})
        for name, record, secret in (
            ("id", hidden, "OnlyB"),
            ("bank_ids", account, "60-16-13"),
            ("channel_ids", chat, "board-secret"),
            ("sale_order_ids", self.order_b, self.order_b.name),
            ("parent_id", hidden, "OnlyB"),
        ):
            with self.subTest(name):
                domain = f"[('{name}', 'in', [{record.id}])]"
                condition = (
                    self.env["customer.segment.condition"]
                    .with_user(self.manager)
                    .create({"segment_id": segment.id, "domain": domain})
                )
                if record.with_user(self.manager).has_access("read"):
                    continue
                self.assertNotIn(secret, condition.summary)
                self.assertIn("…", condition.summary)
                self.assertNotIn(secret, condition.display_name)
                self.assertNotIn(secret, segment.definition)
        condition.domain = f"[('id', 'in', [{self.anna.id}])]"
        self.assertIn("Anna Smith", condition.summary)

    def test_the_same_sentence_for_two_readers(self):
        """What one has read is not shown to the next from a cache."""
        segment = self._create_segment(
            {"domain": [["sale_order_ids", "in", [self.order_b.id]]]}
        )
        condition = segment.condition_ids
        self.assertIn(self.order_b.name, condition.summary)
        self.assertNotIn(self.order_b.name, condition.with_user(self.manager).summary)

    def test_records_without_a_name_are_shown(self):
        message = self.anna.message_post(body="x")
        segment = self._create_segment(
            {"domain": [["message_ids", "in", [message.id, message.id + 1, 3]]]}
        )
        self.assertTrue(segment.definition)
        self.assertTrue(segment.with_user(self.manager).definition)

    # === WHAT NOBODY CAN WORK WITH ===#

    def test_numbers_have_limits_in_the_database(self):
        condition = self._create_segment({"behaviour": "bought"}).condition_ids
        for name, value in (("period_days", 36501), ("times", 1000001)):
            with (
                self.subTest(name),
                self.assertRaises(IntegrityError),
                self.env.cr.savepoint(),
                mute_logger("odoo.sql_db"),
            ):
                condition.write({name: value})
                self.env.flush_all()
            self.env.invalidate_all()
        condition.period_days = 36500
        self.assertEqual(condition.segment_id.preview()["error"], False)

    def test_domains_nobody_can_work_with_are_refused(self):
        segment = self._segments(self.manager).create({"name": "Odd"})
        for domain in (
            "[('create_date', '>', 'today -99999y')]",
            "[('create_date', '>', 'today +9999999999d')]",
            "[('id', '=', 10 ** 9)]",
            "[('name', 'any', [('x', '=', 1)])]",
            "[('channel_ids', 'any!', [('name', '=', 'board-secret')])]",
            "[('parent_id', 'any', [('channel_ids', 'any!', [('id', '>', 0)])])]",
            "[" * 5000,
            "['&'" + ", '&'" * 3000 + "]",
            f"[('name', 'in', {['x' * 1000] * 200})]",
            "{'a': 1}",
            "7",
        ):
            with self.subTest(domain[:60]), self.assertRaises(UserError):
                segment.condition_ids = [Command.create({"domain": domain})]

    def test_one_segment_stops_no_other(self):
        """Whatever one segment ends in, the others are refreshed and counted."""
        wrong = self._create_segment({"behaviour": "bought", "days": 5}, name="000")
        right = self._create_segment({"field": "name", "value": "Bob"}, name="zzz")
        (wrong | right).write({"reach_at": False})
        method = type(wrong)._get_partner_query

        def get_partner_query(segment, *args, **kwargs):
            if segment == wrong:
                raise OverflowError("date value out of range")
            return method(segment, *args, **kwargs)

        with (
            patch.object(type(wrong), "_get_partner_query", get_partner_query),
            mute_logger(
                "odoo.addons.marketing_automation.models.audience.segment_refresh"
            ),
        ):
            self._run_cron("ir_cron_refresh_segments")
        self.assertIn("date value out of range", wrong.last_error)
        self.assertEqual(self._members(right), self.bob)

    def test_one_segment_stops_no_change_of_others(self):
        """Of customers whose facts changed, between refreshes."""
        wrong = self._create_segment({"behaviour": "bought", "days": 5}, name="000")
        right = self._create_segment({"field": "name", "value": "Bob"}, name="zzz")
        wrong._refresh()
        right._refresh()
        self.cleo.name = "Bob"
        self.env.flush_all()
        self.env["marketing.customer.change"]._touch(
            SQL("SELECT %s", self.cleo.id), self.company
        )
        method = type(wrong)._get_partner_query

        def get_partner_query(segment, *args, **kwargs):
            if segment == wrong:
                raise OverflowError("date value out of range")
            return method(segment, *args, **kwargs)

        with (
            patch.object(type(wrong), "_get_partner_query", get_partner_query),
            mute_logger(
                "odoo.addons.marketing_automation.models.audience.segment_incremental",
                "odoo.addons.marketing_automation.models.audience.segment_refresh",
            ),
        ):
            self._run_cron("ir_cron_refresh_segments")
        self.assertEqual(self._members(right), self.bob | self.cleo)

    def test_one_segment_stops_no_count_of_others(self):
        wrong = self._create_segment({"field": "name", "value": "Cleo"}, name="000")
        right = self._create_segment({"field": "name", "value": "Bob"}, name="zzz")
        wrong._refresh()
        right._refresh()
        (wrong | right).write({"reach_at": False})
        method = type(wrong)._count_reach

        def count_reach(segments):
            if segments == wrong:
                raise OverflowError("too many")
            return method(segments)

        with (
            patch.object(type(wrong), "_count_reach", count_reach),
            mute_logger(
                "odoo.addons.marketing_automation.models.audience.segment_reach"
            ),
        ):
            self._run_cron("ir_cron_count_reach")
        self.assertTrue(right.reach_at)

    def test_questions_that_are_none(self):
        """What a program asks wrongly is answered in words, not by the database."""
        for question in (
            {"segment_id": "x"},
            {"segment_id": True},
            {"segment_id": 2**40},
            {"segment_id": [1]},
            {"company_id": "x", "criteria": '{"conditions": [{"field": "name"}]}'},
        ):
            with self.subTest(question):
                answer = self._segments(self.manager).get_preview(question)
                self.assertIn("is no id", answer["error"])
        templates = self.env["marketing.template"].with_user(self.manager)
        for question in ({"template_id": "x"}, {"context": "cart", "record_id": "x"}):
            for method in ("get_preview", "find_recipients", "get_studio"):
                if "record_id" in question and method != "get_preview":
                    continue
                with (
                    self.subTest(question=question, method=method),
                    self.assertRaisesRegex(UserError, "is no id"),
                ):
                    getattr(templates, method)(question)
