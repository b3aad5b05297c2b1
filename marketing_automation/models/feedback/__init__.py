from . import marketing_engagement
from . import customer_clicks
from . import short_link
from . import attribution
from . import marketing_reply
from . import mail_thread
