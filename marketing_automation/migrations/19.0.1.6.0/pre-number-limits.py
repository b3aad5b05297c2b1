"""Days, hours and minutes have upper limits from now on: what lies beyond becomes the
largest that there may be."""

LIMITS = {
    "res_company": {
        **dict.fromkeys(
            ("cart_expiry_days", "attribution_days", "quotation_idle_days"), 3650
        ),
        **dict.fromkeys(("email_cap_hours", "sms_cap_hours"), 87600),
        **dict.fromkeys(
            (
                *("cart_kept_days", "message_kept_days", "content_kept_days"),
                *("engagement_kept_days", "visit_kept_days", "opt_in_kept_days"),
                "membership_kept_days",
            ),
            36500,
        ),
    },
    "website": {"cart_idle_minutes": 525600},
}


def migrate(cr, version):
    for table, columns in LIMITS.items():
        for column, limit in columns.items():
            cr.execute(
                f"UPDATE {table} SET {column} = {limit} WHERE {column} > {limit}"
            )
    cr.execute(
        """UPDATE marketing_sequence_step
              SET delay_value = CASE delay_unit WHEN 'days' THEN 3650
                                                WHEN 'hours' THEN 87600
                                                ELSE 5256000 END
            WHERE delay_value * CASE delay_unit WHEN 'days' THEN 1440
                                                WHEN 'hours' THEN 60
                                                ELSE 1 END::bigint > 5256000"""
    )
