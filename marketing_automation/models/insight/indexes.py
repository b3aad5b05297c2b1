"""Indexes of what the dashboard counts, and of the lists behind its figures."""

from odoo import models


class AbandonedCart(models.Model):
    _inherit = "abandoned.cart"

    _left_idx = models.Index("(company_id, abandoned_at)")
    _recovered_idx = models.Index(
        "(company_id, recovered_at) WHERE recovered_at IS NOT NULL"
    )
    _returned_idx = models.Index(
        "(company_id, returned_at) WHERE returned_at IS NOT NULL"
    )
    # What is at stake is read from the index alone.
    _stake_idx = models.Index(
        "(company_id) INCLUDE (website_id, kind, amount_company) "
        "WHERE state IN ('abandoned', 'recovery_started')"
    )


class MarketingMessage(models.Model):
    _inherit = "marketing.message"

    _sent_idx = models.Index("(company_id, sent_at) WHERE sent_at IS NOT NULL")
    # The sandbox inbox: few messages in a shop that sends.
    _sandbox_idx = models.Index("(id) WHERE is_sandbox")
    _unsent_idx = models.Index(
        "(company_id, state_changed_at) "
        "WHERE state IN ('skipped', 'failed', 'cancelled')"
    )


class MarketingEnrollment(models.Model):
    _inherit = "marketing.enrollment"

    _started_idx = models.Index("(company_id, started_at)")
