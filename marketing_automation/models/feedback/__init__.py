from . import marketing_engagement
from . import short_link
from . import attribution
from . import mail_thread
