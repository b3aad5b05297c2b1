from . import (
    blacklists,
    customer_segment,
    marketing_consent_log,
    marketing_preference,
    marketing_recipient,
    marketing_suppression,
    res_company,
    segment_condition,
    segment_criteria,
    segment_membership,
    segment_query,
    segment_refresh,
    segment_summary,
)
from . import (
    metrics_task,
    customer_change,
    rfm_threshold,
    customer_metrics,
    metrics_refresh,
    metrics_hooks,
    res_partner,
)
