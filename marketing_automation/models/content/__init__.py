from . import marketing_template
from . import template_preview
from . import template_context
from . import cart_context
from . import opt_in_context
