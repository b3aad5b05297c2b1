"""The email that both send, and how each sends it: 20 KB of HTML, two links, a block
of products."""

from unittest.mock import patch

from common import Measure

BODY_BYTES = 20_000
PRODUCTS = 6
SUBJECT = "What is new this week"
SENDER = "shop@example.com"
# Who is writing, which a marketing email has to say.
COMPANY = {"name": "Example Shop", "street": "Example Street 1", "city": "Brussels"}

_SHOP = "https://shop.example.com"
_CELL = "font-family: Arial, Helvetica, sans-serif; font-size: 16px; color: #333333"
_BUTTON = "color: #ffffff; background-color: #35979c; padding: 12px 24px"
_TEXT = (
    "Slow mornings ask for good company: a mug that keeps its warmth, a blanket "
    "that is heavy enough to stay where it is, and half an hour without a plan. "
)


def make_products(env):
    """Create the products that the block shows.

    :rtype: product.product
    """
    return env["product.product"].create(
        [
            {"name": f"Product {n}", "list_price": 10.5 + n, "is_published": True}
            for n in range(PRODUCTS)
        ]
    )


def build_html(products, name, unsubscribe_url):
    """Write the body, about ``BODY_BYTES`` long.

    :param product.product products: what the block shows, with picture and price
    :param str name: what puts in the recipient's name, in the template's language
    :param str unsubscribe_url: the same for the unsubscribe link
    :rtype: str
    """
    head = f"""<table width="600" align="center" style="{_CELL}"><tr><td>
<h1 style="font-size: 24px; margin: 0 0 16px">Hello {name}</h1>
"""
    foot = f"""<p><a href="{_SHOP}/shop" style="{_BUTTON}">To the shop</a></p>
{_build_product_block(products)}
<p>Questions? <a href="{_SHOP}/contactus">Write to us</a>.</p>
<p>{", ".join(COMPANY.values())}</p>
<p><a href="{unsubscribe_url}">Unsubscribe</a></p>
</td></tr></table>"""
    paragraph = f'<p style="{_CELL}; margin: 0 0 12px">{_TEXT * 3}</p>\n'
    missing = BODY_BYTES - len(head) - len(foot)
    return head + paragraph * round(missing / len(paragraph)) + foot


def _build_product_block(products):
    rows = "".join(
        f"""<tr><td style="{_CELL}; padding: 8px"><img width="120" height="120"
 src="{_SHOP}/web/image/product.product/{product.id}/image_512" alt=""></td>
<td style="{_CELL}; padding: 8px"><strong>{product.name}</strong><br>
{product.currency_id.symbol}&nbsp;{product.list_price:.2f}</td></tr>
"""
        for product in products
    )
    return f'<table width="100%" style="{_CELL}">\n{rows}</table>'


def make_mail_server(env, port):
    """Make a port of 127.0.0.1 the one outgoing mail server, without a login.

    :rtype: ir.mail_server
    """
    env["ir.mail_server"].search([]).active = False
    name_sender(env)
    return env["ir.mail_server"].create(
        {"name": "Sink", "smtp_host": "127.0.0.1", "smtp_port": port}
    )


def name_sender(env):
    """Let the company have what its marketing emails have to say."""
    env.company.write({"email": SENDER, "country_id": env.ref("base.be").id, **COMPANY})


# === OURS ===#


def enable_smtp(env, mail_server):
    """Let messages leave through a mail server, at any hour.

    :rtype: marketing.provider
    """
    provider = env.ref("marketing_automation.provider_smtp")
    provider.mail_server_id = mail_server
    provider.action_enable()
    env.company.quiet_hours_email = False
    return provider


def make_template(env, products):
    """Create the newsletter as a template of ours.

    :rtype: marketing.template
    """
    name_sender(env)
    return env["marketing.template"].create(
        {
            "name": SUBJECT,
            "channel": "email",
            "context": "contact",
            "subject": SUBJECT,
            "body_html": build_html(
                products, "{{ customer.name }}", "{{ unsubscribe_url }}"
            ),
        }
    )


def queue(env, template, partner_ids, scheduled_at=None):
    """Write messages into the outbox, and commit.

    :param range partner_ids: recipients; their ids follow one another
    :param datetime scheduled_at: when they are due, naive, UTC; empty: now
    :return: how many were written
    :rtype: int
    """
    from odoo.tools import SQL

    count = env["marketing.message"]._queue_partners(
        template,
        SQL(
            "SELECT id FROM res_partner WHERE id >= %s AND id < %s",
            partner_ids.start,
            partner_ids.stop,
        ),
        env.company,
        "bench",
        scheduled_at=scheduled_at,
    )
    env.cr.commit()
    return count


def dispatch(env):
    """Hand over what is due, as the scheduled action does."""
    from odoo.addons.marketing_automation.models.delivery.marketing_dispatcher import (
        Adapters,
    )

    with Adapters(env.cr.dbname) as adapters:
        while env["marketing.dispatcher"]._dispatch_batch(adapters=adapters):
            env.cr.commit()
    env.cr.commit()


# === EMAIL MARKETING ===#


def make_mailing(env, products, mail_server, partner_ids):
    """Create the newsletter as a mailing of Email Marketing, ready to be sent.

    :param range partner_ids: recipients
    :rtype: mailing.mailing
    """
    mailing = env["mailing.mailing"].create(
        {
            "subject": SUBJECT,
            "mailing_model_id": env["ir.model"]._get_id("res.partner"),
            "mailing_domain": repr([("id", "in", list(partner_ids))]),
            "mail_server_id": mail_server.id,
            "email_from": SENDER,
            "reply_to_mode": "new",
            "reply_to": SENDER,
            "body_html": build_html(
                products, '<t t-out="object.name"/>', "/unsubscribe_from_list"
            ),
        }
    )
    mailing.action_put_in_queue()
    env.cr.commit()
    return mailing


def queue_mailing(env):
    """Write the emails of the mailing that waits, as its scheduled action does."""
    # Odoo asks each linked page for its title; not to be held against it.
    with patch(
        "odoo.addons.mail.tools.link_preview.get_link_preview_from_url",
        lambda *_args, **_kwargs: False,
    ):
        env["mailing.mailing"]._process_mass_mailing_queue()
    env.cr.commit()


def send_mailing(env):
    """The same, and send them: by itself up to a hundred, by the mail queue above."""
    queue_mailing(env)
    mails = env["mail.mail"]
    while mails.search_count([("state", "=", "outgoing")], limit=1):
        mails.process_email_queue()
        env.cr.commit()


def measure_mailing(env, products, people):
    """Have Email Marketing write its emails, and count them.

    :param range people: ids of contacts
    :return: what was measured, and the number of emails
    :rtype: tuple[Measure, int]
    """
    mailing = make_mailing(env, products, make_mail_server(env, 9), people)
    with Measure() as measure:
        queue_mailing(env)
    return measure, env["mail.mail"].search_count(
        [("mailing_id", "=", mailing.id), ("state", "=", "outgoing")]
    )
