"""Times and days of conditions have an upper limit from now on."""


def migrate(cr, version):
    cr.execute(
        """UPDATE customer_segment_condition
              SET times = LEAST(times, 1000000),
                  period_days = CASE WHEN period_days > 36500 THEN 0
                                     ELSE period_days END
            WHERE times > 1000000 OR period_days > 36500"""
    )
