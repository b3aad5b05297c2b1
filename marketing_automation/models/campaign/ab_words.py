"""A/B tests in words and figures, as the screen tells them."""

from odoo import api, fields, models
from odoo.tools import format_duration, formatLang


class AbTest(models.Model):
    _inherit = "ab.test"

    outcome = fields.Text(compute="_compute_outcome")
    result = fields.Html(compute="_compute_result", sanitize=False)

    # === OUTCOME ===#

    @api.depends("state", "decision", "winner_id", "counted_until")
    @api.depends_context("lang", "tz")
    def _compute_outcome(self):
        for test in self:
            if test.state == "running":
                test.outcome = test._get_running_words()
            elif test.decision:
                words = [test._get_reason_words(), test._get_consequence_words()]
                test.outcome = " ".join(filter(None, words))
            else:
                test.outcome = False

    def _get_running_words(self):
        due_at = self._get_due_at()
        if not due_at:
            return self.env._(
                "The test is being sent. It is decided %(hours)s hours after the last "
                "message of it, once and not before: figures that are looked at too "
                "early find winners where there are none.",
                hours=self.duration_hours,
            )
        return self.env._(
            "It is decided on %(when)s, once and not before: figures that are looked "
            "at too early find winners where there are none.",
            when=self._format_time(due_at),
        )

    def _format_time(self, at):
        return self.env["ir.qweb.field.datetime"].value_to_html(
            at, {"hide_seconds": True}
        )

    def _get_reason_words(self):
        return {
            "significant": self._get_significant_words,
            "unclear": self._get_unclear_words,
            "too_few": self._get_too_few_words,
            "too_few_done": self._get_too_few_done_words,
            "uneven": self._get_uneven_words,
        }[self.decision["reason"]]()

    def _get_significant_words(self):
        found = self._get_findings_by_variant()
        control = self._get_control()
        if self.winner_id == control:
            return self.env._(
                "%(control)s, the control, is better than all others, with a "
                "confidence of %(confidence)s %%.",
                control=control.name,
                confidence=self.confidence,
            )
        finding = found[self.winner_id.id]
        return self.env._(
            "%(winner)s is better than %(control)s, the control: %(value)s against "
            "%(other)s. Chance alone makes so much of a difference in %(chance)s of "
            "1,000 tests.",
            winner=self.winner_id.name,
            control=control.name,
            value=self._format_value(finding["interval"][0]),
            other=self._format_value(found[control.id]["interval"][0]),
            chance=self._format_chance(finding["p_value"]),
        )

    def _get_unclear_words(self):
        best = self.variant_ids.filtered(lambda v: v.id == self.decision["best"])
        return self.env._(
            "No variant is surely better: what %(best)s is ahead may be chance.",
            best=best.name,
        )

    def _get_too_few_words(self):
        sent = sum(found["sent"] for found in self.decision["variants"])
        return self.env._(
            "The test reached %(count)s people, fewer than the %(minimum)s you asked "
            "for: nothing is said about a winner.",
            count=self._format_count(sent),
            minimum=self._format_count(self.minimum_sample),
        )

    def _get_too_few_done_words(self):
        return self.env._(
            "Too few people ordered, or got the message, to say anything about a "
            "winner."
        )

    def _get_uneven_words(self):
        return self.env._(
            "The variants lost different shares of their people before they were "
            "sent, which is not chance: those who are left can't be compared. Look at "
            "what was not sent, and why."
        )

    def _get_consequence_words(self):
        rest = self._format_count(self.decision["rest"])
        if self.state == "undecided":
            return self.env._("Choose what the %s who wait get.", rest)
        if not self.decision["rest"]:
            return self.env._("Everybody was in the test: nobody waits.")
        if self.decision.get("chosen_by"):
            return self.env._(
                "%(user)s sent %(variant)s to the %(rest)s who waited.",
                user=self.decision["chosen_by"],
                variant=self.winner_id.name,
                rest=rest,
            )
        return self._get_automatic_words(rest)

    def _get_automatic_words(self, rest):
        names = {"variant": self.winner_id.name, "rest": rest}
        if self.decision["reason"] == "significant":
            return self.env._("It goes to the %(rest)s who waited.", **names)
        if self.fallback == "best":
            return self.env._(
                "As you chose for this case, %(variant)s, which did best, goes to the "
                "%(rest)s who waited.",
                **names,
            )
        return self.env._(
            "As you chose for this case, %(variant)s, the control, goes to the "
            "%(rest)s who waited.",
            **names,
        )

    # === RESULT ===#

    # Facts of other models change it too; it is computed whenever it is looked at.
    @api.depends("state", "decision", "variant_ids.name")
    @api.depends_context("lang")
    def _compute_result(self):
        for test in self:
            rows = test._get_result_rows()
            test.result = rows and self.env["ir.qweb"]._render(
                "marketing_automation.ab_result",
                {
                    "rows": rows,
                    "is_decided": bool(test.decision),
                    "winner": test.winner_id,
                    "metric": test._get_metric_words(),
                    "is_revenue": test.metric == "revenue",
                    "confidence": test.confidence,
                },
            )

    def _get_metric_words(self):
        """Return the heading over those who did what decides."""
        if self.metric == "revenue":
            return self.env._("Ordered")
        return dict(self._fields["metric"]._description_selection(self.env))[
            self.metric
        ]

    def _get_result_rows(self):
        """Return what the table of the result shows, one row a variant.

        Before the decision these are bare counts.

        :return: dicts ``variant``, ``says``, ``sent``, ``not_sent``, ``done`` and
            ``value``; once it is decided also ``range``, ``bar`` (from, to: percent of
            the widest), ``difference``, ``difference_range``, ``chance``, ``method``
        :rtype: list[dict]
        """
        self.ensure_one()
        if self.decision:
            findings = self._get_findings_by_variant()
            widest = max(
                [f["interval"][2] for f in findings.values() if f["interval"]] or [0]
            )
            return [
                self._get_decided_row(variant, findings[variant.id], widest)
                for variant in self.variant_ids
            ]
        if self.state == "running":
            figures = self._count()
            return [
                self._get_row(variant, figures[variant.id])
                for variant in self.variant_ids
            ]
        return []

    def _get_findings_by_variant(self):
        return {found["id"]: found for found in self.decision["variants"]}

    def _get_row(self, variant, found):
        value = found["mean"]
        if self.metric != "revenue":
            value = found["done"] / found["sent"] if found["sent"] else 0.0
        return {
            "variant": variant,
            "says": variant._describe(),
            "sent": found["sent"],
            "not_sent": found["assigned"] - found["sent"],
            "done": found["done"],
            "value": self._format_value(value),
        }

    def _get_decided_row(self, variant, found, widest):
        row = self._get_row(variant, found)
        methods = {
            "chi_square": self.env._("Chi-square test"),
            "fisher": self.env._("Fisher's exact test"),
            "welch": self.env._("Welch's t-test"),
            "too_few": self.env._("Too few to compare"),
        }
        if found["interval"]:
            _value, low, high = found["interval"]
            row["range"] = self._format_range(low, high)
            row["bar"] = _get_bar(low, high, widest)
        if found.get("difference"):
            difference, low, high = found["difference"]
            row["difference"] = self._format_difference(difference)
            row["difference_range"] = self._format_range(low, high)
            row["chance"] = self._format_p_value(found["p_value"])
        row["method"] = methods.get(found.get("method"), "")
        return row

    # === FORMATS ===#

    def _format_count(self, count):
        return formatLang(self.env, count, digits=0)

    def _format_value(self, value):
        """Say a share, or an amount per person."""
        if self.metric == "revenue":
            return formatLang(self.env, value, currency_obj=self.currency_id)
        return self.env._("%s %%", formatLang(self.env, value * 100, digits=2))

    def _format_difference(self, value):
        sign = "+" if value > 0 else ""
        if self.metric == "revenue":
            return sign + self._format_value(value)
        points = formatLang(self.env, value * 100, digits=2)
        return self.env._("%s points", sign + points)

    def _format_range(self, low, high):
        if self.metric == "revenue":
            low, high = self._format_value(low), self._format_value(high)
        else:
            low, high = (
                formatLang(self.env, value * 100, digits=2) for value in (low, high)
            )
        return self.env._("%(low)s to %(high)s", low=low, high=high)

    def _format_p_value(self, value):
        if value < 0.0001:
            return "< " + formatLang(self.env, 0.0001, digits=4)
        return formatLang(self.env, value, digits=4)

    def _format_chance(self, value):
        """Say a probability as so many of 1,000."""
        if value < 0.001:
            return self.env._("less than 1")
        return formatLang(self.env, value * 1000, digits=0)


def _get_bar(low, high, widest):
    """Where an interval lies, in percent of the widest; amounts below 0 are cut off."""
    if widest <= 0:
        return 0.0, 0.0
    begin = max(low, 0.0) / widest * 100
    return begin, max(high / widest * 100 - begin, 0.5)


class AbTestVariant(models.Model):
    _inherit = "ab.test.variant"

    def _describe(self):
        """Say what is different in this variant, in words.

        :rtype: str
        """
        tested = self._get_tested()
        if self.subject_of_test == "content":
            return self._get_template().name or ""
        if self.subject_of_test != "send_time":
            return tested
        if not tested:
            return self.env._("At the time of the campaign")
        return self.env._("%s hours later", format_duration(tested))
