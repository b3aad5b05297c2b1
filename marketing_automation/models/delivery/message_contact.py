"""Messages go to where their person is reached now, not where they were when they were
queued: between the two there may be days."""

from odoo import models
from odoo.tools import SQL

# How long ago the same message to the new address may be, for this one to be a second.
REPEATED_DAYS = 30


class MarketingMessage(models.Model):
    _inherit = "marketing.message"

    def _follow_contacts(self):
        """Take over addresses that were corrected, or removed, since these were queued.

        Of a contact the address of today is used, of a cart whose address was only
        typed the one that was typed last. What asks for a confirmation stays with the
        address it is about.

        While another message to the new address is being sent, this one stays as it
        is: nobody has two of a channel in flight.

        :return: those whose new address has the same message already (the contact was
            merged into another one, say), and those that have to wait for another
        :rtype: tuple[marketing.message, marketing.message]
        """
        rows = self.env.execute_query(
            SQL(
                """WITH moving AS (
                   SELECT today.*, today.state = 'sending' AND (
                              row_number() OVER (
                                  PARTITION BY today.state, today.channel,
                                               COALESCE(today.phone, today.address)
                                  ORDER BY today.id) > 1
                              OR CASE today.channel
                                 WHEN 'sms' THEN EXISTS (
                                     SELECT FROM marketing_message busy
                                      WHERE busy.state = 'sending'
                                        AND busy.channel = 'sms'
                                        AND busy.phone_sanitized = today.phone
                                        AND busy.id != today.id)
                                 ELSE EXISTS (
                                     SELECT FROM marketing_message busy
                                      WHERE busy.state = 'sending'
                                        AND busy.channel = 'email'
                                        AND busy.email_normalized = today.address
                                        AND busy.id != today.id) END) AS has_to_wait
                     FROM (SELECT m.id, m.state, m.channel,
                                  CASE WHEN p.id IS NULL THEN cart.email
                                       ELSE p.email END AS email,
                                  CASE WHEN p.id IS NULL THEN cart.email_normalized
                                       ELSE p.email_normalized END AS address,
                                  CASE WHEN m.channel = 'sms'
                                       THEN COALESCE(p.phone_sanitized,
                                                     cart.phone_sanitized) END AS phone
                             FROM marketing_message m
                             LEFT JOIN abandoned_cart cart
                                    ON cart.id = m.abandoned_cart_id
                             LEFT JOIN res_partner p
                                    ON p.id = m.partner_id
                                   AND cart.is_typed IS NOT TRUE
                            WHERE m.id = ANY(%s::int[]) AND m.opt_in_id IS NULL
                              AND (p.id IS NOT NULL OR cart.is_typed)
                              AND CASE m.channel WHEN 'sms' THEN m.phone_sanitized
                                  ELSE m.email_normalized END IS NOT NULL) today
                     JOIN marketing_message m ON m.id = today.id
                    WHERE m.email_normalized IS DISTINCT FROM today.address
                       OR m.phone_sanitized IS DISTINCT FROM today.phone),
                   moved AS (
                   UPDATE marketing_message m
                      SET email = moving.email, email_normalized = moving.address,
                          phone_sanitized = moving.phone
                     FROM moving WHERE m.id = moving.id AND NOT moving.has_to_wait)
                   SELECT id, has_to_wait FROM moving""",
                as_array(self.ids),
            )
        )
        moved = self.browse(
            message_id for message_id, has_to_wait in rows if not has_to_wait
        )
        waiting = self.browse(
            message_id for message_id, has_to_wait in rows if has_to_wait
        )
        moved.invalidate_recordset(["email", "email_normalized", "phone_sanitized"])
        return moved._find_repeated() if moved else moved, waiting

    def _find_repeated(self):
        """Find those whose address has the same step or campaign already, or is about
        to have it.

        :rtype: marketing.message
        """
        rows = self.env.execute_query(
            SQL(
                """SELECT DISTINCT m.id
                     FROM marketing_message m
                    CROSS JOIN LATERAL (
                          -- Each channel has its own index, and with it a branch.
                          SELECT * FROM marketing_message
                           WHERE m.channel = 'email' AND channel = 'email'
                             AND email_normalized = m.email_normalized
                           UNION ALL
                          SELECT * FROM marketing_message
                           WHERE m.channel = 'sms' AND channel = 'sms'
                             AND phone_sanitized = m.phone_sanitized) other
                    WHERE m.id = ANY(%(ids)s) AND other.id != m.id
                      AND other.company_id = m.company_id
                      AND (other.id < m.id OR other.id != ALL(%(ids)s))
                      AND other.state NOT IN ('skipped', 'cancelled', 'failed')
                      AND CASE WHEN m.step_id IS NOT NULL
                          THEN other.step_id = m.step_id
                               AND other.enrollment_id IS DISTINCT FROM m.enrollment_id
                               AND other.create_date
                                   > m.create_date - %(days)s * interval '1 day'
                          ELSE other.campaign_id = m.campaign_id
                               AND other.step_id IS NULL END""",
                ids=self.ids,
                days=REPEATED_DAYS,
            )
        )
        return self.browse(message_id for (message_id,) in rows)


def as_array(ids):
    """Return ids as PostgreSQL writes an array: as one text. Of a list psycopg2 makes a
    term for each, which take longer to parse than to look up.

    :rtype: str
    """
    return "{" + ",".join(map(str, ids)) + "}"
