from . import record_consent
from . import marketing_privacy_wizard
