from . import (
    blacklists,
    marketing_consent_log,
    marketing_preference,
    marketing_recipient,
    marketing_suppression,
    res_company,
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
