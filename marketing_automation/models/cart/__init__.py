from . import res_company
from . import website
from . import sale_order
from . import abandoned_cart
from . import cart_detection
from . import cart_restore
from . import sale_order_restore
from . import cart_timeline
