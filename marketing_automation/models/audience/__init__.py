from . import (
    blacklists,
    marketing_consent_log,
    marketing_preference,
    marketing_recipient,
    marketing_suppression,
    res_company,
)
