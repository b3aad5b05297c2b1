from . import marketing_engagement
from . import short_link
from . import attribution
