from . import marketing_engagement
from . import attribution
