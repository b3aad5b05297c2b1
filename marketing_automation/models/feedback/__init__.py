from . import marketing_engagement
from . import customer_clicks
from . import short_link
from . import attribution
from . import mail_thread
