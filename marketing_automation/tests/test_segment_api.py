import json
from datetime import timedelta

from odoo import fields
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .http_common import MarketingHttpCase
from .world import GROUP_MANAGER, GROUP_USER


@tagged("post_install", "-at_install")
class TestSegmentApi(MarketingHttpCase):
    """Segments over HTTP, with an API key, as other programs use them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.keys = {
            role: cls._create_key(new_test_user(cls.env, f"seg_{role}", groups=group))
            for role, group in (("manager", GROUP_MANAGER), ("user", GROUP_USER))
        }

    @classmethod
    def _create_key(cls, user):
        keys = cls.env["res.users.apikeys"].with_user(user)
        return keys._generate(
            "rpc", "segments", fields.Datetime.now() + timedelta(days=1)
        )

    @mute_logger("odoo.http")
    def _call(self, method, role="manager", **arguments):
        response = self.url_open(
            f"/json/2/customer.segment/{method}",
            data=json.dumps(arguments),
            headers={
                "Authorization": f"bearer {self.keys[role]}",
                "Content-Type": "application/json",
            },
        )
        return response.status_code, response.json()

    def test_a_static_segment_is_made_and_filled(self):
        status, [segment_id] = self._call(
            "create", vals_list=[{"name": "By API", "kind": "static"}]
        )
        self.assertEqual(status, 200)
        status, result = self._call(
            "add_contacts", ids=[segment_id], partner_ids=[self.customer.id]
        )
        self.assertEqual((status, result["added"]), (200, 1))
        segment = self.env["customer.segment"].browse(segment_id)
        self.assertEqual(segment.membership_ids.source, "api")
        status, count = self._call(
            "remove_contacts", ids=[segment_id], partner_ids=[self.customer.id]
        )
        self.assertEqual((status, count), (200, 1))

    def test_criteria_are_set_shown_and_evaluated(self):
        condition = {"field": "email", "operator": "=", "value": "anna@example.com"}
        _status, [segment_id] = self._call("create", vals_list=[{"name": "By API"}])
        status, understood = self._call(
            "set_criteria", ids=[segment_id], criteria={"conditions": [condition]}
        )
        self.assertEqual(status, 200)
        self.assertEqual(understood, {"logic": "AND", "conditions": [condition]})
        _status, preview = self._call("preview", "user", ids=[segment_id])
        self.assertEqual(preview["size"], 1)
        self.assertEqual(preview["sample"][0]["email"], "anna@example.com")
        self.assertEqual(self._call("action_refresh", ids=[segment_id])[0], 200)
        _status, [shown] = self._call(
            "read", "user", ids=[segment_id], fields=["size", "criteria"]
        )
        self.assertEqual(shown["size"], 1)
        self.assertEqual(json.loads(shown["criteria"]), understood)

    def test_errors_tell_what_to_write(self):
        _status, [segment_id] = self._call("create", vals_list=[{"name": "By API"}])
        status, error = self._call(
            "set_criteria",
            ids=[segment_id],
            criteria={"conditions": [{"behaviour": "ate"}]},
        )
        self.assertEqual(status, 422)
        self.assertIn('Condition 1: "ate" is not known', error["message"])

    def test_who_only_reads_changes_nothing(self):
        _status, [segment_id] = self._call("create", vals_list=[{"name": "By API"}])
        for method, arguments in (
            ("set_criteria", {"criteria": {"conditions": []}}),
            ("add_contacts", {"partner_ids": []}),
            ("remove_contacts", {"partner_ids": []}),
            ("action_refresh", {}),
        ):
            with self.subTest(method):
                status, _error = self._call(
                    method, "user", ids=[segment_id], **arguments
                )
                self.assertEqual(status, 403)
