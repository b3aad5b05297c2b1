from . import marketing_provider
from . import marketing_message
from . import marketing_gate
from . import marketing_dispatcher
from . import mail_blacklist
