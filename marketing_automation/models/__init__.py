# In the order in which data moves; see "How it works" in the README.
from . import mailbox
from . import large_index
from . import marketing_guard
from . import shared_records
from . import person_search
from . import cart
from . import audience
from . import sequence
from . import recommendation
from . import content
from . import campaign
from . import delivery
from . import feedback
from . import coupon
from . import insight
from . import res_config_settings
from .audience import privacy
