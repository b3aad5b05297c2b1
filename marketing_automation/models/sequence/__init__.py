from . import marketing_sequence
from . import marketing_sequence_step
from . import marketing_enrollment
