"""Two shops of two companies, with everything that can exist in them."""

from datetime import timedelta

from odoo import fields
from odoo.tests import new_test_user

GROUP_USER = "marketing_automation.group_marketing_user"
GROUP_MANAGER = "marketing_automation.group_marketing_manager"


def create_other_shop(cls):
    """Create company B with a website of its own.

    :param cls: a class of tests with the factories of ``MarketingCase``
    :return: the company and its website
    :rtype: tuple
    """
    company = cls.env["res.company"].create(
        {
            "name": "Company B",
            "email": "b-shop@example.com",
            "street": "Example Street 2",
            "city": "Brussels",
            "country_id": cls.env.ref("base.be").id,
            "consent_policy": "soft_opt_in",
            "currency_id": cls.company.currency_id.id,
        }
    )
    website = cls.env["website"].create(
        {
            "name": "Shop B",
            "company_id": company.id,
            "domain": "https://b.example.com",
            "cart_recovery_enabled": True,
        }
    )
    return company, website


def create_recovered_cart(cls, email, name="Anna", **cart_vals):
    """Create a cart that went the whole way: message, click, order.

    :return: the abandoned cart
    :rtype: abandoned.cart
    """
    cart = cls._abandon(cls._create_customer(name, email), **cart_vals)
    cls._process_steps()
    message = cart.message_ids
    # Some time ago: whoever clicks the moment a message arrives is taken for a scanner.
    message._set_state(
        "sending", sending_at=fields.Datetime.now() - timedelta(minutes=5)
    )
    provider = cls.env["marketing.provider"]._select(cart.company_id, "email")
    [content_id] = cls.env["marketing.content"]._store(
        [("Your cart", "<p>Your cart</p>", "Your cart")], cart.company_id
    )
    message._set_state(
        "sent", provider_id=provider.id, subject="Your cart", content_id=content_id
    )
    cls.env["marketing.engagement"]._record(message.token, "click")
    cart.order_id.restored_cart_ids = cart
    cart.order_id.action_confirm()
    cls.env.flush_all()
    cls.env.invalidate_all()
    return cart


def create_users(cls):
    """Create one user for each role.

    :return: users by the name of the role
    :rtype: dict
    """
    users = {
        "public": cls.env.ref("base.public_user"),
        "portal": new_test_user(cls.env, "ma_portal", groups="base.group_portal"),
        "employee": new_test_user(cls.env, "ma_employee", groups="base.group_user"),
        "user": new_test_user(cls.env, "ma_user", groups=GROUP_USER),
        "manager": new_test_user(cls.env, "ma_manager", groups=GROUP_MANAGER),
        "admin": new_test_user(
            cls.env, "ma_admin", groups=f"{GROUP_MANAGER},base.group_system"
        ),
    }
    return users
