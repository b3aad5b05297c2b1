# A message's way: the outbox, the gate, writing it, the accounts, handing it over.
from . import res_company
from . import marketing_content
from . import marketing_message
from . import message_state
from . import marketing_gate
from . import message_queue
from . import marketing_composer
from . import marketing_provider
from . import provider_accounts
from . import provider_usage
from . import marketing_dispatcher
from . import wake_up
from . import mail_blacklist
from . import phone_blacklist
from . import marketing_decision
from . import res_partner
