# Coupons: the rule, its programmes and cards, and their use at checkout.
from . import marketing_coupon
from . import coupon_program
from . import loyalty_card
from . import sequence_step
from . import coupon_runs
from . import coupon_issue
from . import coupon_context
from . import stored_value
from . import coupon_check
from . import coupon_claim
from . import coupon_payment
from . import coupon_redeem
from . import coupon_floor
from . import coupon_recovery
from . import coupon_reminder
from . import coupon_figures
from . import coupon_removal
