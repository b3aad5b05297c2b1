"""Who gets which variant: at random, the same whenever asked, and in equal numbers."""

from odoo import models
from odoo.tools import SQL


class AbTest(models.Model):
    _inherit = "ab.test"

    def _sql_assign(self, recipients):
        """Return a query that gives some of the recipients a variant.

        All recipients are put in an order that a hash of their address, keyed with this
        test's own secret, decides: nobody can foresee it, another test has another
        one, and asked again it is the same. The first of them are the test; those are
        cut into pieces as long as the weights say. So the sizes of variants with equal
        weights differ by one at most, and nobody's place depends on anything known.

        :param SQL recipients: a query with the columns ``partner_id`` and ``address``;
            addresses are different, or NULL
        :return: a query with ``partner_id``, ``address`` and ``variant_id``, which is
            NULL for the rest that waits
        :rtype: SQL
        """
        self.ensure_one()
        return SQL(
            """SELECT ranked.partner_id, ranked.address,
                      CASE %(pieces)s END AS variant_id
                 FROM (SELECT recipient.partner_id, recipient.address,
                              row_number() OVER (ORDER BY %(hash)s) - 1 AS place,
                              (count(*) OVER () * %(share)s + 50) / 100 AS tested
                         FROM (%(recipients)s) recipient) ranked""",
            pieces=SQL(" ").join(self._get_pieces()),
            hash=_sql_hash(self.sudo().secret),
            share=self.test_share,
            recipients=recipients,
        )

    def _sql_variants(self):
        """Return rows of id, template, and how many hours later a variant is sent."""
        return SQL(", ").join(
            SQL(
                "(%s, %s, %s)",
                variant.id,
                variant._get_template().id,
                variant._get_delay(),
            )
            for variant in self.variant_ids
        )

    def _get_pieces(self):
        """Return where the piece of each variant ends, as SQL."""
        pieces, end = [], 0
        parts = sum(self.variant_ids.mapped("weight"))
        for variant in self.variant_ids.sorted():
            end += variant.weight
            pieces.append(
                SQL(
                    "WHEN ranked.place < ranked.tested * %s / %s THEN %s",
                    end,
                    parts,
                    variant.id,
                )
            )
        return pieces


def _sql_hash(secret):
    """SQL: a hash of the recipient; as a uuid it is sorted by its bytes."""
    return SQL(
        "md5(%s || COALESCE(recipient.address, '-' || recipient.partner_id))::uuid",
        secret,
    )
