from . import record_consent
