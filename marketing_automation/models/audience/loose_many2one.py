from odoo import fields


class LooseMany2one(fields.Many2one):
    """A link to a record without a foreign key in the database.

    For rows that are written by the million: checking each key takes longer than
    writing the row. Only where the record cannot go before the row does, or where
    whoever reads the row copes with its absence.
    """

    def update_db_foreign_key(self, model, column):
        """Leave the column as it is."""
