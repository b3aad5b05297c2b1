"""A payment provider that takes no money, and what Odoo does when it says it did."""

from odoo.fields import Command

FORM = """<form action="dummy" method="post"/>"""


def create_provider(env):
    """Create a provider for tests; it offers one way to pay, for everybody.

    :param env: environment of OdooBot
    :return: ``payment.provider``
    """
    method = env.ref("payment.payment_method_unknown")
    form = env["ir.ui.view"].create(
        {"name": "Form", "type": "qweb", "arch": FORM, "key": "test.payment_form"}
    )
    provider = env["payment.provider"].create(
        {
            "name": "Test Pay",
            "code": "none",
            "state": "test",
            "is_published": True,
            "payment_method_ids": [Command.set(method.ids)],
            "redirect_form_view_id": form.id,
        }
    )
    method.active = True
    return provider


def prepare_payment(order, provider, amount):
    """Return what a shop's payment page sends when somebody presses "Pay now".

    :param sale.order order: the cart
    :param payment.provider provider: how they pay
    :param float amount: what the page shows
    :rtype: dict
    """
    return {
        "order_id": order.id,
        "access_token": order._portal_ensure_token(),
        "amount": amount,
        "provider_id": provider.id,
        "payment_method_id": provider.payment_method_ids.id,
        "flow": "direct",
        "token_id": None,
        "tokenization_requested": False,
        "landing_route": "/shop/payment/validate",
    }


def begin_payment(order, provider):
    """Begin to pay an order, as the payment page does.

    :return: the transaction
    :rtype: payment.transaction
    """
    return order.env["payment.transaction"].create(
        {
            "provider_id": provider.id,
            "payment_method_id": provider.payment_method_ids.id,
            "amount": order.amount_total,
            "currency_id": order.currency_id.id,
            "partner_id": order.partner_id.id,
            "reference": f"{order.name}-{len(order.transaction_ids)}",
            "sale_order_ids": [Command.set(order.ids)],
        }
    )


def finish_payment(transaction):
    """The provider says that the money has come."""
    transaction._set_done()
    transaction._post_process()
