from odoo.tools import SQL
from odoo.tools.sql import column_exists


def migrate(cr, version):
    """Move what was sent into its own table, and look for due steps each minute."""
    if column_exists(cr, "marketing_message", "body_html"):
        move_contents(cr)
    cr.execute(
        SQL(
            """UPDATE ir_cron SET interval_number = 1
                 FROM ir_model_data data
                WHERE data.model = 'ir.cron' AND data.res_id = ir_cron.id
                  AND data.module = 'marketing_automation'
                  AND data.name = 'ir_cron_process_enrollments'
                  AND interval_number = 5 AND interval_type = 'minutes'"""
        )
    )


def move_contents(cr):
    """One content for each message that was written, then drop the old columns."""
    cr.execute(
        SQL(
            """
            ALTER TABLE marketing_content ADD COLUMN message_id integer;
            INSERT INTO marketing_content (company_id, created_at, subject, html, text,
                                           message_id)
            SELECT company_id, COALESCE(sent_at, sending_at, create_date), subject,
                   body_html, body_text, id
              FROM marketing_message
             WHERE body_html IS NOT NULL OR body_text IS NOT NULL;
            UPDATE marketing_message m SET content_id = content.id
              FROM marketing_content content WHERE content.message_id = m.id;
            ALTER TABLE marketing_content DROP COLUMN message_id;
            ALTER TABLE marketing_message DROP COLUMN body_html, DROP COLUMN body_text;
            """
        )
    )
