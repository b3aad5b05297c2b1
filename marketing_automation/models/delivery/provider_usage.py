from datetime import timedelta
from math import floor

from odoo import api, fields, models
from odoo.tools import SQL

# How much of the time ahead workers may reserve.
SECONDS_RESERVED = 1.0
# While more than this is reserved, nobody takes the little that is left: it would have
# every worker wait with a message or two, and none for other accounts.
SECONDS_FULL = 0.5


class MarketingProviderUsage(models.Model):
    """How much an account was used on a day, and its limits, shared by all workers and
    hosts: whoever takes messages for an account locks its row of the day."""

    _name = "marketing.provider.usage"
    _description = "Provider Usage"
    _order = "day desc, id desc"
    _log_access = False
    _rec_name = "day"

    provider_id = fields.Many2one(
        "marketing.provider", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="provider_id.company_id")
    day = fields.Date(required=True, readonly=True)
    domain = fields.Char(
        required=True, readonly=True, help="A receiving domain; empty: all of them."
    )
    count = fields.Integer(string="Messages", readonly=True)
    free_at = fields.Datetime(
        readonly=True, help="From when on the next message keeps within the rate."
    )
    minute = fields.Datetime(readonly=True, help="The minute that is counted.")
    minute_count = fields.Integer(readonly=True)

    _day_uniq = models.UniqueIndex(
        "(provider_id, day, domain)", "One row for each account, day and domain."
    )

    @api.model
    def _lock(self, provider):
        """Lock and return the counters of an account for today.

        Another worker that holds them makes this one wait, and then start again (a
        serialization failure); the dispatcher does so.

        :param marketing.provider provider: the account
        :return: counters by domain, '' for all
        :rtype: dict[str, dict]
        """
        domains = ["", *provider.sudo().throttle_ids.mapped("domain")]
        today = fields.Date.today()
        self.env.cr.execute_values(
            """INSERT INTO marketing_provider_usage (provider_id, day, domain, count,
                                                     minute_count)
               VALUES %s ON CONFLICT (provider_id, day, domain) DO NOTHING""",
            [(provider.id, today, domain, 0, 0) for domain in domains],
        )
        provider.invalidate_recordset(["usage_ids"])
        rows = self.env.execute_query_dict(
            SQL(
                """SELECT domain, count, free_at, minute, minute_count
                     FROM marketing_provider_usage
                    WHERE provider_id = %s AND day = %s AND domain = ANY(%s)
                    ORDER BY domain FOR UPDATE""",
                provider.id,
                today,
                domains,
            )
        )
        return {row["domain"]: row for row in rows}

    @api.model
    def _get_room(self, provider, counters, now):
        """Return how many messages may be taken for an account now.

        :param dict counters: what :meth:`_lock` returned
        :param datetime now: naive, UTC
        :return: number of messages, by the day and the rate; None without limits; and
            the number for each throttled domain
        :rtype: tuple[int | None, dict[str, int]]
        """
        rooms = []
        if limit := provider._get_daily_limit():
            rooms.append(max(limit - counters[""]["count"], 0))
        if provider.per_second:
            rooms.append(self._get_rate_room(provider, counters, now))
        minute = now.replace(second=0, microsecond=0)
        throttle = {}
        for rule in provider.sudo().throttle_ids:
            counter = counters[rule.domain]
            used = counter["minute_count"] if counter["minute"] == minute else 0
            throttle[rule.domain] = max(rule.per_minute - used, 0)
        return min(rooms, default=None), throttle

    @api.model
    def _get_rate_room(self, provider, counters, now):
        """Return how many messages the rate of an account allows to be taken now."""
        ahead = self._get_seconds_ahead(counters, now)
        if ahead > SECONDS_FULL:
            return 0
        # A rate below one a second still lets one through when its time has come.
        least = 1 if not ahead else 0
        return max(floor(provider.per_second * (SECONDS_RESERVED - ahead)), least)

    @api.model
    def _get_rate_pause(self, provider, counters, now):
        """Return when an account that has no room now gets some by its rate.

        :return: seconds; None when its rate is not what it waits for
        :rtype: float | None
        """
        limit = provider._get_daily_limit()
        if not provider.per_second or (limit and counters[""]["count"] >= limit):
            return None
        free = SECONDS_RESERVED - SECONDS_FULL
        full = SECONDS_FULL if floor(provider.per_second * free) else 0
        return max(self._get_seconds_ahead(counters, now) - full, 0)

    @api.model
    def _get_seconds_ahead(self, counters, now):
        """Return how much of the time ahead is reserved."""
        return max(((counters[""]["free_at"] or now) - now).total_seconds(), 0)

    @api.model
    def _take(self, provider, counters, claimed, now):
        """Count claimed messages against the limits of their account.

        :param marketing.message claimed: what was claimed in this transaction
        :return: seconds to wait before they are handed over
        :rtype: float
        """
        start, free_at = now, None
        if provider.per_second:
            start = max(counters[""]["free_at"] or now, now)
            free_at = start + timedelta(seconds=len(claimed) / provider.per_second)
        self._add(provider, "", len(claimed), now, free_at)
        by_domain = claimed.grouped(
            lambda message: (message.email_normalized or "").rpartition("@")[2]
        )
        for domain in counters.keys() & by_domain.keys() - {""}:
            self._add(provider, domain, len(by_domain[domain]), now)
        return (start - now).total_seconds()

    @api.model
    def _add(self, provider, domain, count, now, free_at=None):
        self.env.cr.execute(
            SQL(
                """UPDATE marketing_provider_usage
                      SET count = GREATEST(count + %(count)s, 0),
                          minute_count = CASE WHEN minute = %(minute)s
                              THEN minute_count ELSE 0 END + %(count)s,
                          minute = %(minute)s, free_at = COALESCE(%(free_at)s, free_at)
                    WHERE provider_id = %(provider_id)s AND day = %(day)s
                      AND domain = %(domain)s""",
                count=count,
                minute=now.replace(second=0, microsecond=0),
                free_at=free_at,
                provider_id=provider.id,
                day=now.date(),
                domain=domain,
            )
        )
        self.invalidate_model()

    @api.model
    def _give_back(self, provider, count):
        """Messages that were claimed did not leave: the day has room for as many."""
        if count:
            self._add(provider, "", -count, fields.Datetime.now())

    @api.autovacuum
    def _gc_old(self):
        """Forget the counters of days long past."""
        before = fields.Date.subtract(fields.Date.today(), days=400)
        self.search([("day", "<", before)]).unlink()


class MarketingProviderThrottle(models.Model):
    """How many messages a minute a receiving domain gets from an account."""

    _name = "marketing.provider.throttle"
    _inherit = ["marketing.guard"]
    _description = "Domain Throttle"
    _order = "domain"

    provider_id = fields.Many2one(
        "marketing.provider", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="provider_id.company_id")
    domain = fields.Char(
        string="Receiving Domain", required=True, help="Such as gmail.com."
    )
    per_minute = fields.Integer(string="Messages a Minute", required=True, default=60)

    _domain_uniq = models.UniqueIndex(
        "(provider_id, domain)", "This domain has a limit already."
    )
    _per_minute_positive = models.Constraint(
        "CHECK(per_minute > 0)", "Let at least one message a minute through."
    )

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([self._clean(vals) for vals in vals_list])

    def write(self, vals):
        return super().write(self._clean(vals))

    @api.model
    def _clean(self, vals):
        """Domains are compared as they stand in normalized addresses."""
        if not vals.get("domain"):
            return vals
        return {**vals, "domain": vals["domain"].strip().lower().lstrip("@")}
