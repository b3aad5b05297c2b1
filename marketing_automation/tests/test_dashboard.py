import csv
import io
import json
from datetime import timedelta

from freezegun import freeze_time
from openpyxl import load_workbook

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import HttpCase, new_test_user, tagged

from ..models.insight.figures import FIGURES
from .common import MarketingCase
from .test_dashboard_figures import NOW, DashboardCase
from .world import GROUP_USER, create_other_shop, create_recovered_cart, create_users


class ShopCase(MarketingCase):
    """A cart that was recovered through a click, and one that is open."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dashboard = cls.env["marketing.dashboard"]
        cls.cart = create_recovered_cart(cls, "anna@example.com")
        cls.cart.message_ids.sent_at = cls.cart.message_ids.sending_at
        cls.open_cart = cls._abandon(cls._create_customer("Bo", "bo@example.com"))
        cls.env.flush_all()

    def _get_kpis(self, dashboard=None, options=None):
        dashboard = self.dashboard if dashboard is None else dashboard
        return {kpi["name"]: kpi for kpi in dashboard.get_data(options)["kpis"]}


@tagged("post_install", "-at_install")
class TestDashboard(ShopCase):
    """What the screen is given."""

    def test_plain_values(self):
        """Everything crosses the wire as it is."""
        data = self.dashboard.get_data({})
        self.assertEqual(json.loads(json.dumps(data)), data)

    def test_the_story_of_two_carts(self):
        data = self.dashboard.get_data({})
        kpis = self._get_kpis()
        self.assertEqual(kpis["recovered_revenue"]["value"], 40.0)
        self.assertEqual(kpis["credited_revenue"]["value"], 40.0)
        self.assertEqual(kpis["recovered"]["value"], 1)
        self.assertEqual(kpis["recovery_rate"]["value"], 0.5)
        self.assertEqual(kpis["stake_value"]["value"], 40.0)
        self.assertEqual(kpis["click_rate"]["value"], 1.0)
        self.assertEqual(
            [stage["value"] for stage in data["funnel"]], [2, 2, 1, 1, 0, 1]
        )
        [step] = data["steps"]
        self.assertEqual(step["step"], self.cart.message_ids.step_id.name)
        self.assertEqual(step["values"]["credited"]["value"], 1)
        self.assertFalse(data["is_empty"])

    def test_nothing_to_compare_with(self):
        for kpi in self._get_kpis().values():
            self.assertIsNone(kpi["previous"], kpi["name"])
            self.assertIsNone(kpi["change"])
            self.assertIsNone(kpi["change_rate"])

    def test_comparison(self):
        before = self._abandon(self._create_customer("Cy", "cy@example.com"))
        before.abandoned_at = "2026-01-05 12:00:00"
        (self.cart | self.open_cart).abandoned_at = "2026-01-10 12:00:00"
        self.cart.recovered_at = "2026-01-12 12:00:00"
        options = {"period": "custom", "first": "2026-01-08", "last": "2026-01-14"}
        kpis = self._get_kpis(options=options)
        left = kpis["left"]
        self.assertEqual((left["value"], left["previous"], left["change"]), (2, 1, 1))
        self.assertEqual(left["change_rate"], 1.0)
        recovered = kpis["recovered"]
        self.assertEqual((recovered["previous"], recovered["change"]), (0, 1))
        self.assertIsNone(recovered["change_rate"], "Of nothing there is no share")
        self.assertIsNone(kpis["stake_value"]["previous"], "As of now")

    def test_every_figure_says_what_it_is(self):
        data = self.dashboard.get_data({})
        for figure in data["kpis"] + data["funnel"] + data["step_columns"]:
            self.assertTrue(figure["label"])
            self.assertGreater(len(figure["help"]), 20, figure["name"])

    def test_cost_of_text_messages(self):
        self.assertNotIn("message_cost", self._get_kpis())
        message = self.cart.message_ids
        message.write(
            {
                "channel": "sms",
                "segment_count": 3,
                "is_sandbox": False,
                "provider_id": self.smtp.id,
            }
        )
        self.smtp.segment_price = 0.5
        self.smtp.currency_id = self.company.currency_id
        kpis = self._get_kpis()
        self.assertEqual(kpis["message_cost"]["value"], 1.5)
        self.assertEqual(kpis["net"]["value"], 38.5)

    def test_empty_shop_learns_what_is_missing(self):
        self.env["abandoned.cart"].search([]).unlink()
        data = self.dashboard.get_data({})
        self.assertTrue(data["is_empty"])
        done = {item["name"]: item["is_done"] for item in data["setup"]}
        self.assertEqual(done, {"website": True, "sequence": True, "provider": False})
        self.env["website"].search([]).cart_recovery_enabled = False
        self.env["marketing.sequence"].search([]).active = False
        self.smtp.state = "enabled"
        data = self.dashboard.get_data({})
        done = {item["name"]: item["is_done"] for item in data["setup"]}
        self.assertEqual(done, {"website": False, "sequence": False, "provider": True})

    def test_links_lead_where_the_user_may_go(self):
        users = create_users(self)
        for role, action in (
            ("user", "marketing_automation.action_marketing_sandbox"),
            ("admin", "marketing_automation.action_marketing_provider"),
        ):
            setup = self.dashboard.with_user(users[role]).get_data({})["setup"]
            self.assertEqual(setup[2]["action"], action)
            self.assertEqual(bool(setup[0]["action"]), role == "admin")

    def test_options_that_do_not_exist(self):
        for options in (
            {"period": "tomorrow"},
            {"period": "custom"},
            {"period": "custom", "first": "2026-02-30", "last": "2026-03-01"},
            {"period": "custom", "first": "2026-03-02", "last": "2026-03-01"},
            {"period": "custom", "first": "yesterday", "last": "2026-03-01"},
            {"kind": "'; DELETE FROM abandoned_cart; --"},
            {"website": "1 OR TRUE"},
            {"website": [1]},
        ):
            with self.subTest(options=options), self.assertRaises(UserError):
                self.dashboard.get_data(options)

    def test_midnight_is_where_the_company_is(self):
        self.company.partner_id.tz = "Pacific/Auckland"
        self.env["marketing.daily.figure"]._adopt_timezones()
        with freeze_time("2026-06-30 13:00:00"):
            data = self.dashboard.get_data({"period": "month"})
        self.assertEqual(data["options"]["first"], "2026-07-01")
        self.assertEqual(data["timezone"], "Pacific/Auckland")


@tagged("post_install", "-at_install")
class TestDashboardRights(ShopCase):
    """Sums for marketing users, records for those who may read them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = create_users(cls)
        cls.company_b, cls.website_b = create_other_shop(cls)
        create_recovered_cart(cls, "bea@example.com", website_id=cls.website_b.id)

    def test_by_role(self):
        for role in ("public", "portal", "employee"):
            dashboard = self.dashboard.with_user(self.users[role])
            for method in (
                dashboard.get_data,
                dashboard.get_holdout,
                lambda dashboard=dashboard: dashboard.get_records({}, "left"),
                lambda dashboard=dashboard: dashboard._export({}, "csv"),
            ):
                with self.subTest(role=role), self.assertRaises(AccessError):
                    method()
        for role in ("user", "manager"):
            kpis = self._get_kpis(self.dashboard.with_user(self.users[role]))
            self.assertEqual(kpis["recovered_revenue"]["value"], 40.0)

    def test_who_may_read_no_orders(self):
        """A marketing user sees what orders brought in, and opens none."""
        user = self.users["user"]
        self.assertFalse(self.env["sale.order"].with_user(user).has_access("read"))
        dashboard = self.dashboard.with_user(user)
        for name in ("recovered_revenue", "credited_revenue"):
            action = dashboard.get_records({}, name)
            self.assertIn(action["res_model"], ("abandoned.cart", "marketing.message"))
        kpis = self._get_kpis(dashboard)
        self.assertFalse(kpis["discounts"]["can_open"])
        with self.assertRaises(UserError):
            dashboard.get_records({}, "discounts")

    def test_other_companies(self):
        user = self.users["user"]
        for companies, carts in (
            (self.company, 1),
            (self.company_b, 1),
            (self.company | self.company_b, 2),
        ):
            user.company_ids = [Command.set((self.company | self.company_b).ids)]
            dashboard = self.dashboard.with_user(user).with_context(
                allowed_company_ids=companies.ids
            )
            self.assertEqual(self._get_kpis(dashboard)["recovered"]["value"], carts)
        user.company_ids = [Command.set(self.company.ids)]
        with self.assertRaises(AccessError):
            self.dashboard.with_user(user).with_context(
                allowed_company_ids=self.company_b.ids
            ).get_data({})

    def test_website_of_another_company(self):
        """Knowing a number is not enough."""
        dashboard = self.dashboard.with_user(self.users["user"])
        kpis = self._get_kpis(dashboard, {"website": self.website_b.id})
        self.assertEqual(kpis["recovered"]["value"], 0)
        self.assertEqual(kpis["stake_value"]["value"], 0)

    def test_companies_with_different_currencies(self):
        self.company_b.currency_id = self.env.ref("base.HUF")
        both = self.dashboard.with_context(
            allowed_company_ids=(self.company | self.company_b).ids
        )
        data = both.get_data({})
        self.assertEqual(data["companies"], [self.company.name])
        self.assertEqual(data["other_companies"], [self.company_b.name])
        self.assertEqual(self._get_kpis(both)["recovered_revenue"]["value"], 40.0)

    def test_records_without_a_list(self):
        for name, narrowed in (
            ("net", {}),
            ("recovery_rate", {}),
            ("nonsense", {}),
            ("left", {"create_uid": 1}),
            ("left", {"email": "anna@example.com"}),
        ):
            with self.subTest(name=name), self.assertRaises(UserError):
                self.dashboard.get_records({}, name, narrowed)


@tagged("post_install", "-at_install")
class TestDashboardRecords(DashboardCase):
    """Whoever opens a figure finds what it counts."""

    def setUp(self):
        super().setUp()
        self._create_world(self.website, 60)
        self.enterContext(self._at(NOW))

    def _open(self, name, narrowed=None):
        action = self.dashboard.get_records({}, name, narrowed)
        records = self.env[action["res_model"]].with_context(**action["context"])
        measure = FIGURES[name].measure
        [(number,)] = records._read_group(
            action["domain"], [], [f"{measure}:sum" if measure else "__count"]
        )
        return number or 0

    def test_all_that_can_be_opened(self):
        data = self.dashboard.get_data({})
        opened = 0
        for figure in data["kpis"] + data["funnel"]:
            if figure["can_open"]:
                opened += 1
                with self.subTest(figure=figure["name"]):
                    self.assertAlmostEqual(
                        self._open(figure["name"]), figure["value"], 2
                    )
        self.assertGreater(opened, 12)
        for table, name in (
            ("states", "left"),
            ("excluded", "excluded"),
            ("unsent", "unsent"),
        ):
            self.assertTrue(data[table])
            for row in data[table]:
                with self.subTest(table=table, row=row["key"]):
                    self.assertEqual(
                        self._open(name, {"key": row["key"]}), row["value"]
                    )
        for row in data["steps"]:
            for name, cell in row["values"].items():
                with self.subTest(step=row["step"], name=name):
                    self.assertAlmostEqual(
                        self._open(name, row["narrowed"]), cell["value"], 2
                    )


@tagged("post_install", "-at_install")
class TestDashboardExport(ShopCase, HttpCase):
    """The figures as files."""

    def _fetch(self, query=""):
        return self.url_open(f"/marketing/dashboard/export?{query}")

    def test_csv(self):
        self.authenticate("admin", "admin")
        answer = self._fetch("format=csv")
        self.assertEqual(answer.status_code, 200)
        self.assertIn("text/csv", answer.headers["Content-Type"])
        self.assertIn("attachment", answer.headers["Content-Disposition"])
        rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
        values = {row[0]: row[1] for row in rows if len(row) > 1}
        self.assertEqual(values["Recovered revenue"], "40.00")
        self.assertEqual(values["Recovery rate"], "0.5000")

    def test_xlsx(self):
        self.authenticate("admin", "admin")
        answer = self._fetch("format=xlsx&period=last_7")
        book = load_workbook(io.BytesIO(answer.content))
        self.assertEqual(
            book.sheetnames, ["Figures", "Messages", "Reasons", "Over time"]
        )
        values = {row[0].value: row[1].value for row in book["Figures"].rows}
        self.assertEqual(values["Recovered revenue"], 40)
        self.assertEqual(len(list(book["Over time"].rows)), 8)

    def test_no_formula_of_somebody_elses(self):
        self.cart.message_ids.step_id.name = "=cmd|' /C calc'!A0"
        content, _type, _name = self.dashboard._export({}, "csv")
        self.assertIn("'=cmd|", content.decode())
        content, _type, _name = self.dashboard._export({}, "xlsx")
        sheet = load_workbook(io.BytesIO(content))["Messages"]
        self.assertEqual(sheet.cell(2, 2).data_type, "s")

    def test_who_may_not(self):
        new_test_user(self.env, "ma_employee", groups="base.group_user")
        self.authenticate("ma_employee", "ma_employee")
        self.assertEqual(self._fetch("format=csv").status_code, 404)
        company_b, _website = create_other_shop(type(self))
        new_test_user(self.env, "ma_user", groups=GROUP_USER)
        self.authenticate("ma_user", "ma_user")
        self.assertEqual(self._fetch("format=csv").status_code, 200)
        self.assertEqual(
            self._fetch(f"format=csv&companies={company_b.id}").status_code, 404
        )

    def test_nonsense(self):
        self.authenticate("admin", "admin")
        for query in (
            "format=exe",
            "period=tomorrow",
            "website=x",
            "companies=1,x",
            "period=custom&first=2026-02-30&last=2026-03-01",
        ):
            with self.subTest(query=query):
                self.assertEqual(self._fetch(query).status_code, 404)

    def test_strangers_log_in_first(self):
        answer = self.url_open("/marketing/dashboard/export", allow_redirects=False)
        self.assertEqual(answer.status_code, 303)
        self.assertIn("/web/login", answer.headers["Location"])


@tagged("post_install", "-at_install")
class TestDigest(ShopCase):
    """The figures in the periodic mail."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = create_users(cls)
        names = ("recovered_revenue", "recovered", "left", "sent")
        cls.digest = cls.env["digest.digest"].create(
            {
                "name": "Weekly",
                "periodicity": "weekly",
                "kpi_res_users_connected": False,
                "kpi_mail_message_total": False,
                **{f"kpi_marketing_{name}": True for name in names},
            }
        )

    def _get_values(self, user, company=None):
        kpis = self.digest._compute_kpis(company or self.company, user)
        return {
            kpi["kpi_name"].removeprefix("kpi_marketing_"): kpi["kpi_col1"]["value"]
            for kpi in kpis
        }

    def test_values(self):
        values = self._get_values(self.users["user"])
        self.assertIn("40", values.pop("recovered_revenue"))
        self.assertEqual(values, {"recovered": 1, "left": 2, "sent": 1})

    def test_who_is_no_marketing_user(self):
        self.assertEqual(self._get_values(self.users["employee"]), {})

    def test_other_companies(self):
        company_b, website_b = create_other_shop(type(self))
        cart = create_recovered_cart(self, "bea@example.com", website_id=website_b.id)
        # Odoo takes the time for that of the company's calendar: the last hours may lie
        # behind the end of its day.
        cart.recovered_at -= timedelta(hours=14)
        user = self.users["user"]
        user.write({"company_ids": [Command.link(company_b.id)]})
        self.assertEqual(self._get_values(user)["left"], 2)
        self.digest.company_id = company_b
        values = self._get_values(user, company_b)
        self.assertEqual((values["recovered"], values["left"]), (1, 1))

    def test_mail(self):
        user = self.users["user"]
        self.digest.user_ids = user
        self.digest.with_user(self.env.ref("base.user_root"))._action_send_to_user(user)
        mail = self.env["mail.mail"].search([], order="id desc", limit=1)
        self.assertIn("Recovered Revenue", mail.body_html)
        self.assertIn("Recovery Messages Sent", mail.body_html)
        self.assertIn("action_marketing_dashboard", mail.body_html)

    def test_long_ago(self):
        self.cart.recovered_at = fields.Datetime.subtract(
            fields.Datetime.now(), months=3
        )
        self.assertEqual(self._get_values(self.users["user"])["recovered"], 0)
