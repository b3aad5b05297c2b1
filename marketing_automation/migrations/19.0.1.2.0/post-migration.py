import json

from odoo.tools import SQL

# What puts the company's address into an email, in any of the ways to write it.
FOOTERS = ("layout", "footer", "company.address", "company.street")


def migrate(cr, version):
    """Keep writing to whom the shop wrote to: consent was not asked for before. New
    installations begin with people who agreed, and so does each new company."""
    cr.execute(SQL("UPDATE res_company SET consent_policy = 'soft_opt_in'"))
    add_footers(cr)


def add_footers(cr):
    """Put the footer under marketing emails that do not say who is writing, in each
    of their languages: they would be refused from now on."""
    cr.execute(
        SQL(
            """SELECT id, body_html FROM marketing_template
                WHERE channel = 'email' AND category = 'marketing'
                  AND body_html IS NOT NULL"""
        )
    )
    for template_id, sources in cr.fetchall():
        changed = {
            lang: source
            if not source or any(word in source for word in FOOTERS)
            else source.rstrip() + '\n{% include "footer" %}\n'
            for lang, source in sources.items()
        }
        if changed != sources:
            cr.execute(
                SQL(
                    "UPDATE marketing_template SET body_html = %s WHERE id = %s",
                    json.dumps(changed),
                    template_id,
                )
            )
