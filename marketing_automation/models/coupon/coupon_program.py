"""The loyalty programmes behind a rule: one for each discount and company."""

from odoo import api, fields, models
from odoo.fields import Command

from .marketing_coupon import Terms

# What is the same for the programmes of all rules, and stays as it is: what a card is
# good for was promised to somebody. False: no limit.
PROGRAM = {
    "active": True,
    "program_type": "coupons",
    "applies_on": "current",
    "trigger": "with_code",
    "date_from": False,
    "date_to": False,
    "limit_usage": False,
    "pricelist_ids": False,
    "website_id": False,
    "ecommerce_ok": True,
    "sale_ok": True,
    # At the till nobody can tell whose card it is (Odoo's Point of Sale).
    "pos_ok": False,
}
REWARD = {
    "active": True,
    "reward_type": "discount",
    "discount_applicability": "order",
    "discount_max_amount": 0.0,
    "required_points": 1.0,
    "clear_wallet": False,
}


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

    def _get_marketing_terms(self):
        """Return what the cards of this programme of ours take off.

        :rtype: Terms
        """
        self.ensure_one()
        mode, _colon, discount = self.marketing_terms.partition(":")
        return Terms(mode, float(discount))

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
        return programs.create(
            {
                **_pick(programs, PROGRAM),
                "pricelist_ids": [Command.clear()],
                "name": self._name_terms(terms, company),
                "company_id": company.id,
                "marketing_coupon_id": self.id,
                "marketing_terms": terms.key,
                "portal_visible": False,
                "communication_plan_ids": [Command.clear()],
                "rule_ids": [Command.clear()],
                "reward_ids": [Command.create(self._prepare_reward_vals(terms))],
            }
        )

    def _prepare_reward_vals(self, terms):
        return {**REWARD, "discount_mode": terms.mode, "discount": terms.discount}

    def _keep_in_step(self, program, terms):
        """Undo what somebody changed in the programme itself: cards are promised by it.

        Rules are edited here, programmes are not. Looked at when cards are made, and
        when one is used.
        """
        program = program.with_context(active_test=False)
        _write_differing(program, _pick(program, PROGRAM))
        program.rule_ids.filtered("active").unlink()
        vals = self._prepare_reward_vals(terms)
        rewards = program.reward_ids.sorted(
            lambda reward: (not reward.active, reward.id)
        )
        if not rewards:
            program.reward_ids = [Command.create(vals)]
            return
        _write_differing(rewards[0], vals)
        _write_differing(rewards[1:], {"active": False})

    def _name_program(self, program):
        return self._name_terms(program._get_marketing_terms(), program.company_id)

    def _name_terms(self, terms, company):
        if terms.mode == "percent":
            return f"{self.name} ({terms.discount:g}%)"
        return f"{self.name} ({company.currency_id.format(terms.discount)})"


def _pick(records, vals):
    """Return the values of fields that exist: a shop may lack their modules."""
    return {name: value for name, value in vals.items() if name in records._fields}


def _write_differing(records, vals):
    """Write what is not so yet; a write that changes nothing would lock the row.

    :param records: any number
    :param dict vals: plain values; False also stands for no records
    """
    for record in records:
        differing = {
            name: value
            for name, value in vals.items()
            if (record[name] or False) != (value or False)
        }
        if differing:
            record.write(differing)
