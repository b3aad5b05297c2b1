"""Figures of real customers, beside the same computed in plain Python."""

import bisect
import functools
import math
import statistics
from collections import defaultdict
from datetime import datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal

from odoo.tests import tagged
from odoo.tools.sql import table_columns

from ..models.audience.rfm_groups import get_group
from .cdnow import read_purchases
from .common import MarketingCase

# The day after the last purchase in the data.
NOW = datetime(1998, 7, 1, 12)


@functools.cache
def get_quantile(degrees):
    """Return Student's t with 0.9 of the distribution below it, by integration of its
    density (Abramowitz and Stegun 26.7.1)."""
    scale = math.exp(math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2))
    scale /= math.sqrt(degrees * math.pi)
    width, below, at = 1e-4, 0.5, 0.0
    while below < 0.9:
        middle = at + width / 2
        below += width * scale * (1 + middle**2 / degrees) ** (-(degrees + 1) / 2)
        at += width
    return round(at, 3)


@tagged("post_install", "-at_install")
class TestCdnow(MarketingCase):
    @classmethod
    def setUpClass(cls):
        cls.purchases = read_purchases()
        super().setUpClass()
        cls.env.cr.execute("UPDATE sale_order SET state = 'cancel'")
        cls.env.invalidate_all()
        cls._load()

    @classmethod
    def _load(cls):
        """Write the customers and their orders into Odoo's tables."""
        sample = cls._create_cart()
        sample.action_confirm()
        cls.env.flush_all()
        partner_ids = cls._copy(
            sample.partner_id,
            ("name", "complete_name", "email", "email_normalized"),
            [
                (name, name, *[f"cdnow{name}@example.com"] * 2)
                for name in sorted({customer for customer, *_ in cls.purchases})
            ],
        )
        cls.names = dict(partner_ids)
        ids = {name: partner_id for partner_id, name in partner_ids}
        cls._copy(
            sample,
            ("name", "partner_id", "date_order", "amount_total"),
            [
                ("CDNOW", ids[customer], datetime.combine(day, time(10)), amount)
                for customer, day, amount in cls.purchases
            ],
        )
        sample._action_cancel()
        cls.env.flush_all()
        cls.env.cr.execute("ANALYZE sale_order, res_partner")
        cls.env.invalidate_all()

    @classmethod
    def _copy(cls, sample, names, rows):
        """Write copies of a record with other values; return their ids and names."""
        columns = table_columns(cls.env.cr, sample._table).keys()
        others = sorted(columns - {"id", "access_token", "barcode", *names})
        new = ", ".join(f"v.{name}" for name in names)
        return cls.env.cr.execute_values(
            f"""INSERT INTO {sample._table} ({", ".join((*names, *others))})
                SELECT {new}, {", ".join(f"sample.{name}" for name in others)}
                  FROM (VALUES %s) v ({", ".join(names)})
                  JOIN {sample._table} sample ON sample.id = {sample.id}
             RETURNING id, name""",
            rows,
            page_size=5000,
            fetch=True,
        )

    def test_every_customer(self):
        """Orders, revenue, scores, groups and the next order of all 23,570."""
        with self._at(NOW):
            self.env["marketing.customer.metrics"]._refresh_all()
        self.env.cr.execute(
            """SELECT partner_id, total_revenue::text, total_orders,
                      last_order_date::date,
                      recency_score, frequency_score, monetary_score, rfm_group,
                      next_order_date, next_order_from, next_order_until
                 FROM marketing_customer_metrics WHERE company_id = %s""",
            [self.company.id],
        )
        actual = {
            self.names[partner_id]: (Decimal(revenue), *row)
            for partner_id, revenue, *row in self.env.cr.fetchall()
        }
        expected = self._compute()
        self.assertEqual(len(expected), 23570)
        self.assertEqual(actual.keys(), expected.keys())
        wrong = {
            name: (actual[name], row)
            for name, row in expected.items()
            if actual[name] != row
        }
        self.assertFalse(wrong, f"{len(wrong)} customers differ")
        groups = {row[6] for row in expected.values()}
        self.assertGreaterEqual(len(groups), 8)
        self.assertGreater(sum(bool(row[7]) for row in expected.values()), 100)

    def _compute(self):
        """Return the same rows by customer, in plain Python."""
        visits, orders, revenue = (
            defaultdict(set),
            defaultdict(int),
            defaultdict(Decimal),
        )
        for customer, day, amount in self.purchases:
            visits[customer].add(day)
            orders[customer] += 1
            revenue[customer] += amount
        last = {customer: max(days) for customer, days in visits.items()}
        ranked = [sorted(figure.values()) for figure in (last, orders, revenue)]
        rows = {}
        for customer, days in visits.items():
            figures = (last[customer], orders[customer], revenue[customer])
            scores = [
                # Fifths of the customers that have less.
                1 + 5 * bisect.bisect_left(values, figure) // len(values)
                for values, figure in zip(ranked, figures, strict=True)
            ]
            rows[customer] = (
                revenue[customer],
                orders[customer],
                last[customer],
                *scores,
                get_group(*scores),
                *self._expect(sorted(days)),
            )
        return rows

    def _expect(self, days):
        gaps = [
            (after - before).days for before, after in zip(days, days[1:], strict=False)
        ]
        if len(gaps) < 2:
            return (None, None, None)
        mean = statistics.mean(map(Decimal, gaps))
        quantile = get_quantile(min(len(gaps) - 1, 15))
        leeway = Decimal(
            quantile * statistics.stdev(gaps) * math.sqrt(1 + 1 / len(gaps))
        )
        until = days[-1] + _days(mean + leeway)
        if leeway > mean or until < NOW.date():
            return (None, None, None)
        return (
            days[-1] + _days(mean),
            days[-1] + max(_days(mean - leeway), timedelta(days=1)),
            until,
        )


def _days(number):
    return timedelta(days=int(number.quantize(Decimal(1), ROUND_HALF_UP)))
