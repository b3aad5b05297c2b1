from . import (
    marketing_privacy_wizard,
    record_consent,
    record_objection,
    segment_add,
    segment_import,
    segment_import_consent,
    segment_import_report,
    sequence_replay,
)
from . import campaign_schedule
from . import campaign_test
from . import message_send_again
