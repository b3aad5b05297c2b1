from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.table_statistics import note_written
from ..audience.consent_rules import hash_of
from ..cart.cart_worth import KEPT_WORTH
from ..cart.sequence_kinds import IS_FOR_KIND
from .marketing_enrollment import SOURCE

# The sequences that take carts, with the step they begin with.
OPEN_SEQUENCES = SQL(
    """SELECT DISTINCT ON (seq.id) seq.*, step.id AS step_id, step.offset_seconds,
              segment.company_id AS segment_company_id, version.id AS version_id
         FROM marketing_sequence seq
         JOIN marketing_sequence_step step ON step.sequence_id = seq.id AND step.active
         LEFT JOIN customer_segment segment ON segment.id = seq.segment_id
         LEFT JOIN marketing_sequence_version version ON version.sequence_id = seq.id
        WHERE seq.active
        ORDER BY seq.id, step.sequence, step.id, version.id DESC"""
)
# The cart (`cart`) is one that the sequence (`seq`) is for.
FITS = SQL(
    """%s
       AND (seq.company_id IS NULL OR seq.company_id = cart.company_id)
       AND (seq.website_id IS NULL OR seq.website_id = cart.website_id)
       AND %s >= COALESCE(seq.minimum_amount, 0)""",
    IS_FOR_KIND,
    KEPT_WORTH,
)
# The person is a member of the sequence's segment, with any of their contacts.
IS_IN_SEGMENT = SQL(
    """(seq.segment_id IS NULL
        OR seq.segment_company_id = cart.company_id AND EXISTS (
            SELECT FROM segment_membership member
             WHERE member.segment_id = seq.segment_id
               AND member.partner_id IN (
                   SELECT p.id FROM res_partner p
                    WHERE p.email_normalized = cart.email_normalized
                    UNION ALL SELECT cart.partner_id)))"""
)
# Nothing in the cart has a tag that the sequence leaves out.
HAS_NO_EXCLUDED_TAG = SQL(
    """(seq.id NOT IN (SELECT marketing_sequence_id
                         FROM marketing_sequence_product_tag_rel)
        OR NOT EXISTS (
            SELECT FROM sale_order_line sol
              JOIN product_product pp ON pp.id = sol.product_id
              JOIN (SELECT product_product_id AS product_id, NULL::int AS template_id,
                           product_tag_id
                      FROM product_tag_product_product_rel
                     UNION ALL
                    SELECT NULL, product_template_id, product_tag_id
                      FROM product_tag_product_template_rel) tagged
                ON tagged.product_id = pp.id
                OR tagged.template_id = pp.product_tmpl_id
              JOIN marketing_sequence_product_tag_rel excluded
                ON excluded.product_tag_id = tagged.product_tag_id
             WHERE sol.order_id = cart.order_id
               AND excluded.marketing_sequence_id = seq.id))"""
)


class MarketingEnrollment(models.Model):
    """How runs of carts begin: which cart goes through which sequence."""

    _inherit = "marketing.enrollment"

    @api.model
    def _enroll_abandoned(self):
        """Start the recovery of abandoned carts, the most valuable first.

        Each cart goes through the first sequence that is for it. One person has one
        recovery at a time: where somebody left several carts, the most valuable one
        that has a sequence is worked, the others wait. A cart is worked once.

        :return: number of recoveries started
        :rtype: int
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                WITH seq AS MATERIALIZED (%(sequences)s)
                INSERT INTO marketing_enrollment (
                    started_at, sequence_id, version_id, abandoned_cart_id, company_id,
                    email_normalized, state, next_step_id, next_at, is_holdout)
                SELECT DISTINCT ON (cart.company_id, cart.email_normalized)
                       %(now)s, plan.id, plan.version_id, cart.id, cart.company_id,
                       cart.email_normalized, 'active', plan.step_id,
                       cart.abandoned_at + plan.offset_seconds * interval '1 second',
                       %(is_holdout)s
                  FROM abandoned_cart cart
                 CROSS JOIN LATERAL (
                       SELECT seq.* FROM seq
                        WHERE %(fits)s AND %(is_in_segment)s AND %(has_no_tag)s
                        ORDER BY seq.sequence, seq.id
                        LIMIT 1) plan
                 WHERE cart.state = 'abandoned'
                   AND NOT EXISTS (
                       SELECT FROM marketing_enrollment run
                        WHERE run.abandoned_cart_id = cart.id)
                   AND NOT EXISTS (
                       SELECT FROM marketing_enrollment run
                        WHERE run.email_normalized = cart.email_normalized
                          AND run.company_id = cart.company_id
                          AND run.abandoned_cart_id IS NOT NULL
                          AND run.state IN ('active', 'paused'))
                 ORDER BY cart.company_id, cart.email_normalized,
                          cart.amount_company DESC, cart.id
                    ON CONFLICT DO NOTHING
                RETURNING id
                """,
                now=fields.Datetime.now(),
                sequences=OPEN_SEQUENCES,
                fits=FITS,
                is_in_segment=IS_IN_SEGMENT,
                has_no_tag=HAS_NO_EXCLUDED_TAG,
                is_holdout=self._sql_draw(
                    SQL("cart.email_normalized"), SQL("plan.holdout_percent")
                ),
            )
        )
        self.env.invalidate_all(flush=False)
        note_written(self.env.cr, "marketing_enrollment", len(rows))
        return len(rows)

    @api.model
    def _sql_draw(self, email, percent):
        """Return SQL: whether a person is in the control group.

        Nobody can foresee or choose it, and it is the same for a person's next cart:
        a digest of the address with the secret of this database decides.

        :param SQL email: their normalized address
        :param SQL percent: the share of the control group
        :rtype: SQL
        """
        key = self.env["marketing.suppression"]._get_address_key()
        return SQL(
            """(COALESCE(%(percent)s, 0) > 0
                AND ('x' || left(%(digest)s, 8))::bit(32)::bigint %% 10000
                    < %(percent)s * 100)""",
            percent=percent,
            digest=hash_of(SQL("'holdout:' || %s", email), key),
        )

    @api.model
    def _wake_up_next(self):
        """Be there on time for the next step that becomes due within a minute."""
        self.env.flush_all()
        [(upcoming,)] = self.env.execute_query(
            SQL(
                """SELECT min(run.next_at) FROM (%s) s
                    CROSS JOIN LATERAL (
                          SELECT next_at FROM marketing_enrollment
                           WHERE state = 'active' AND %s = s.source AND next_at > %s
                           ORDER BY next_at LIMIT 1) run""",
                self._sql_sources(),
                SQL(SOURCE),
                fields.Datetime.now(),
            )
        )
        if upcoming:
            self.env["marketing.dispatcher"]._trigger_at(
                "marketing_automation.ir_cron_process_enrollments", upcoming
            )
