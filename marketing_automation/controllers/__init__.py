from . import cart_activity
from . import confirm
from . import preferences
from . import recovery
from . import tracking
from . import unsubscribe
from . import webhook
