from . import record_consent
from . import marketing_privacy_wizard
from . import segment_add
from . import (
    segment_add,
    segment_import,
    segment_import_consent,
    segment_import_report,
)
