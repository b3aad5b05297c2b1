"""Runs go on under the address their person has now."""

from odoo import api, models
from odoo.tools import SQL


class MarketingEnrollment(models.Model):
    _inherit = "marketing.enrollment"

    def _stop_archived(self):
        """End the runs of contacts that were archived on their way.

        :return: those that have ended
        :rtype: marketing.enrollment
        """
        rows = self.env.execute_query(
            SQL(
                """SELECT run.id
                     FROM marketing_enrollment run
                     LEFT JOIN abandoned_cart cart ON cart.id = run.abandoned_cart_id
                     JOIN res_partner p
                       ON p.id = CASE WHEN cart.is_typed IS NOT TRUE
                          THEN COALESCE(cart.partner_id, run.contact_id) END
                    WHERE run.id = ANY(%s) AND p.active IS NOT TRUE""",
                self.ids,
            )
        )
        gone = self.browse(run_id for (run_id,) in rows)
        gone._stop("archived")
        return gone

    def _follow_contacts(self):
        """Go on under corrected addresses; where the person has such a run already,
        under whatever contact, one of them is enough.

        :return: those that have ended for it
        :rtype: marketing.enrollment
        """
        self.abandoned_cart_id._follow_contacts()
        rows = self.env.execute_query(
            SQL(
                """SELECT run.id, today.address
                     FROM marketing_enrollment run
                     LEFT JOIN abandoned_cart cart ON cart.id = run.abandoned_cart_id
                     LEFT JOIN res_partner p ON p.id = run.contact_id
                    CROSS JOIN LATERAL (
                          SELECT CASE WHEN cart.id IS NULL THEN p.email_normalized
                                      ELSE cart.email_normalized END AS address) today
                    WHERE run.id = ANY(%s) AND today.address IS NOT NULL
                      AND run.email_normalized IS DISTINCT FROM today.address
                    ORDER BY run.id""",
                self.ids,
            )
        )
        ended = self.browse()
        for run_id, address in rows:
            run = self.browse(run_id)
            if run._is_taken(address):
                run._stop("repeated")
                ended += run
            else:
                run.email_normalized = address
                run.flush_recordset(["email_normalized"])
        return ended

    @api.model
    def _merge_contacts(self, merged, kept):
        """Before contacts are merged: of their runs through one sequence the one that
        began first goes on, and a campaign has handed the person over once.

        :param res.partner merged: contacts that are about to go
        :param res.partner kept: the one that stays
        """
        runs = self.sudo().search(
            [("contact_id", "in", (merged | kept).ids)], order="id"
        )
        active = runs.filtered(lambda run: run.state == "active")
        for group in active.grouped(
            lambda run: (run.sequence_id, run.company_id)
        ).values():
            group[1:]._stop("repeated")
        for campaign, group in runs.grouped("campaign_id").items():
            if campaign:
                theirs = group.filtered(lambda run: run.contact_id == kept)
                (group - (theirs or group)[:1]).campaign_id = False
        self.env.flush_all()

    def _is_taken(self, address):
        """Whether somebody with this address goes through the same already."""
        self.ensure_one()
        domain = [
            ("id", "!=", self.id),
            ("email_normalized", "=", address),
            ("company_id", "=", self.company_id.id),
            ("state", "in", ("active", "paused")),
        ]
        if self.abandoned_cart_id:
            domain.append(("abandoned_cart_id", "!=", False))
        else:
            domain += [
                ("contact_id", "!=", False),
                ("sequence_id", "=", self.sequence_id.id),
            ]
        return bool(self.search_count(domain, limit=1))


class AbandonedCart(models.Model):
    _inherit = "abandoned.cart"

    @api.model
    def _follow_all_contacts(self):
        """Take over the addresses of customers, for all open carts."""
        self._update_addresses(SQL("cart.state IN ('abandoned', 'recovery_started')"))

    def _follow_contacts(self):
        """Take over the addresses of the customers of these carts."""
        if self:
            self._update_addresses(SQL("cart.id = ANY(%s)", self.ids))

    @api.model
    def _update_addresses(self, which):
        """What was typed alone stays: it is no contact's.

        :param SQL which: a condition on ``cart``
        """
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """UPDATE abandoned_cart cart
                      SET email = p.email, email_normalized = p.email_normalized
                     FROM res_partner p
                    WHERE p.id = cart.partner_id AND cart.is_typed IS NOT TRUE
                      AND cart.email_normalized IS DISTINCT FROM p.email_normalized
                      AND %s
                RETURNING cart.id""",
                which,
            )
        )
        self.browse(cart_id for (cart_id,) in rows).invalidate_recordset()
