from . import cart_activity
from . import confirm
from . import consent
from . import preferences
from . import recovery
from . import tracking
from . import unsubscribe
from . import webhook
