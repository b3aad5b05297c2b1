"""The loyalty programmes behind a rule: one for each discount and company."""

from odoo import api, fields, models
from odoo.fields import Command

from .marketing_coupon import Terms


class LoyaltyProgram(models.Model):
    """A programme holds the discount of its cards. Other terms are another programme,
    so that a card keeps the ones it was promised with."""

    _inherit = "loyalty.program"

    marketing_coupon_id = fields.Many2one(
        "marketing.coupon",
        string="Coupon Rule",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        groups="marketing_automation.group_marketing_user",
    )
    marketing_terms = fields.Char(
        readonly=True, copy=False, help="What the rule took off when this was made."
    )

    # Two workers that make the same one: the second begins again and finds it.
    _marketing_terms_uniq = models.UniqueIndex(
        "(marketing_coupon_id, company_id, marketing_terms) "
        "WHERE marketing_coupon_id IS NOT NULL",
        "The rule has a programme with this discount already.",
    )

    @api.autovacuum
    def _gc_marketing_programs(self):
        """Archive programmes that nothing can be bought with any more: the rule has
        changed, and their last card is used, withdrawn or expired."""
        for program in self.sudo().search([("marketing_coupon_id", "!=", False)]):
            terms = program.marketing_coupon_id._get_all_terms()
            if program.marketing_terms not in terms and not program._has_open_cards():
                program.active = False

    def _has_open_cards(self):
        cards = self.env["loyalty.card"].sudo()
        return bool(
            cards.search_count(
                [("program_id", "in", self.ids), *cards._get_open_domain()], limit=1
            )
        )


class MarketingCoupon(models.Model):
    _inherit = "marketing.coupon"

    def write(self, vals):
        res = super().write(vals)
        if "name" in vals:
            for program in self._get_programs():
                program.name = program.marketing_coupon_id._name_program(program)
        return res

    def _get_programs(self):
        """Return all programmes of these rules, archived ones too.

        :rtype: loyalty.program
        """
        programs = self.env["loyalty.program"].sudo().with_context(active_test=False)
        return programs.search([("marketing_coupon_id", "in", self.ids)])

    def _get_all_terms(self):
        """Return the keys of what the cards of this rule take off today.

        :rtype: set[str]
        """
        self.ensure_one()
        values = self.tier_ids.mapped("amount_from") or [0.0]
        return {self._get_terms(value).key for value in values}

    def _get_program(self, company, terms):
        """Return the programme for new cards; it is made when it is first needed.

        A shop that hands out no coupons has none.

        :param res.company company: whose carts
        :param Terms terms: what the cards take off
        :rtype: loyalty.program
        """
        self.ensure_one()
        program = self._get_programs().filtered(
            lambda program: (
                program.company_id == company and program.marketing_terms == terms.key
            )
        )
        if not program:
            program = self._create_program(company, terms)
        self._keep_in_step(program, terms)
        return program

    def _create_program(self, company, terms):
        programs = self.env["loyalty.program"].sudo().with_company(company)
        vals = {
            "name": self._name_terms(terms, company),
            "company_id": company.id,
            "marketing_coupon_id": self.id,
            "marketing_terms": terms.key,
            "program_type": "coupons",
            "applies_on": "current",
            "trigger": "with_code",
            "portal_visible": False,
            "communication_plan_ids": [Command.clear()],
            "rule_ids": [Command.clear()],
            "reward_ids": [
                Command.create(
                    {
                        "reward_type": "discount",
                        "discount_mode": terms.mode,
                        "discount": terms.discount,
                        "discount_applicability": "order",
                        "required_points": 1,
                    }
                )
            ],
        }
        if "pos_ok" in programs._fields:
            # At the till nobody can tell whose card it is.
            vals["pos_ok"] = False
        return programs.create(vals)

    def _keep_in_step(self, program, terms):
        """Undo what somebody changed in the programme itself: cards are promised by it.

        Rules are edited here, programmes are not.
        """
        if not program.active:
            program.active = True
        reward = program.reward_ids[:1]
        if (reward.discount_mode, reward.discount) != tuple(terms):
            reward.write({"discount_mode": terms.mode, "discount": terms.discount})

    def _name_program(self, program):
        mode, _colon, discount = program.marketing_terms.partition(":")
        return self._name_terms(Terms(mode, float(discount)), program.company_id)

    def _name_terms(self, terms, company):
        if terms.mode == "percent":
            return f"{self.name} ({terms.discount:g}%)"
        return f"{self.name} ({company.currency_id.format(terms.discount)})"
