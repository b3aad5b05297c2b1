"""Is everything set up for carts to be recovered? What an empty dashboard teaches."""

from odoo import api, models


class MarketingDashboard(models.AbstractModel):
    _inherit = "marketing.dashboard"

    @api.model
    def _get_setup(self, companies):
        """Return what recovery needs, whether it is there, and where to see to it.

        :param res.company companies: whose shops
        :return: ``name``, ``label``, ``is_done``, ``hint``, and ``action``: external id
            of where the user may do something about it
        :rtype: list[dict]
        """
        return [
            self._get_setup_of_websites(companies),
            self._get_setup_of_sequences(companies),
            self._get_setup_of_providers(),
        ]

    @api.model
    def _get_setup_of_websites(self, companies):
        websites = self.env["website"].sudo()
        is_admin = self.env.user.has_group("base.group_system")
        return {
            "name": "website",
            "label": self.env._("Find abandoned carts"),
            "hint": self.env._(
                "Switched on for each website. A cart counts as left behind after 30 "
                "minutes without its customer, unless you set another time."
            ),
            "is_done": bool(
                websites.search_count(
                    [
                        ("company_id", "in", companies.ids),
                        ("cart_recovery_enabled", "=", True),
                    ],
                    limit=1,
                )
            ),
            "action": is_admin and "marketing_automation.action_marketing_settings",
        }

    @api.model
    def _get_setup_of_sequences(self, companies):
        sequences = self.env["marketing.sequence"].sudo()
        return {
            "name": "sequence",
            "label": self.env._("Say what is written, and when"),
            "hint": self.env._(
                "A sequence with at least one message, for these websites or for all."
            ),
            "is_done": bool(
                sequences.search_count(
                    [
                        ("company_id", "in", [False, *companies.ids]),
                        ("step_ids", "!=", False),
                    ],
                    limit=1,
                )
            ),
            "action": "marketing_automation.action_marketing_sequence",
        }

    @api.model
    def _get_setup_of_providers(self):
        provider = (
            self.env["marketing.provider"].sudo()._select(self.env.company, "email")
        )
        is_admin = self.env.user.has_group("base.group_system")
        return {
            "name": "provider",
            "label": self.env._("Let messages leave"),
            "hint": self.env._(
                "Until an account is enabled, messages are kept in the sandbox, where "
                "only you see them."
            ),
            "is_done": bool(provider) and provider.kind != "sandbox",
            "action": "marketing_automation.action_marketing_provider"
            if is_admin
            else "marketing_automation.action_marketing_sandbox",
        }
