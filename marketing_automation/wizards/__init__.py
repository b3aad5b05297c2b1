from . import record_consent
from . import marketing_privacy_wizard
from . import segment_add
