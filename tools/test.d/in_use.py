"""Let a database be in use before the addon is removed from it (for `odoo shell`).

A customer has a coupon in a cart, a campaign is going on, messages wait and were sent,
and there is a consent log.
"""

from datetime import timedelta

from odoo import fields
from odoo.tools import SQL

env = globals()["env"]  # of the shell
company = env.company
company.write({"email": "shop@example.com", "consent_policy": "soft_opt_in"})
product = env["product.product"].create(
    {"name": "In use: mug", "list_price": 50.0, "is_published": True}
)
people = env["res.partner"].create(
    [
        {"name": f"In use: customer {n}", "email": f"in.use.{n}@example.com"}
        for n in range(20)
    ]
)
env["marketing.preference"]._record(
    company, "email", ["offers"], people.mapped("email_normalized"), "given", "staff"
)

# A cart that was left behind, with a coupon.
step = env.ref("marketing_automation.sequence_cart_emails").step_ids[0]
step.write(
    {
        "coupon_use": "new",
        "coupon_id": env.ref("marketing_automation.coupon_10_percent").id,
        "template_id": env.ref("marketing_automation.template_offer_email").id,
    }
)
cart = env["sale.order"].create(
    {
        "partner_id": people[0].id,
        "website_id": env["website"].search([], limit=1).id,
        "order_line": [fields.Command.create({"product_id": product.id})],
        "cart_activity_at": fields.Datetime.now() - timedelta(hours=2),
    }
)
env["abandoned.cart"]._detect_all()
while env["marketing.enrollment"]._process_due_batch():
    pass
message = cart.abandoned_cart_id.message_ids
env["marketing.coupon"]._issue_for(message)
status = cart._try_apply_code(message.coupon_card_id.code)
for card, rewards in status.items():
    cart._apply_program_reward(rewards[:1], card)
cart._update_programs_and_rewards()
assert cart.order_line.coupon_id == message.coupon_card_id, status
cart.source_id = env["utm.source"].create({"name": step.name})

# A campaign of which a part was sent.
segment = env["customer.segment"].create(
    {"name": "In use", "kind": "static", "company_id": company.id}
)
segment.add_contacts(people.ids, "manual")
template = env["marketing.template"].search(
    [("context", "=", "contact"), ("channel", "=", "email")], limit=1
)
campaign = env["email.campaign"].create(
    {"name": "In use", "segment_ids": segment.ids, "template_id": template.id}
)
company.write(
    {
        "street": "Main street 1",
        "city": "Brussels",
        "country_id": env.ref("base.be").id,
    }
)
campaign.action_confirm()
env.cr.commit()
campaign._cron_run()
while env["marketing.dispatcher"]._dispatch_batch():
    env.cr.commit()
env["marketing.message"]._queue_partners(
    template,
    SQL("SELECT unnest(%s)", people.ids),
    company,
    "in-use",
    scheduled_at=fields.Datetime.now() + timedelta(days=1),
)
env.flush_all()
((state, *counts),) = env.execute_query(
    SQL(
        """SELECT (SELECT state FROM email_campaign),
                  (SELECT count(*) FROM marketing_message WHERE state = 'sent'),
                  (SELECT count(*) FROM marketing_message WHERE state = 'queued'),
                  (SELECT count(*) FROM marketing_consent_log)"""
    )
)
assert state == "running" and all(counts), (state, counts)
env.cr.commit()
