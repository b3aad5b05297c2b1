"""Steps of sequences that are due at once: each becomes a message, or a reason why not.

100,000 people whose first step is due: the gate is asked about each, a message is
written into the outbox, and the run goes on to its next step; once more for the second
step, with conditions. Beside it, in the same run and on the same carts, what Odoo does
for the same job: one reminder per cart, rendered from the mail template and put into
the mail queue (``website._send_abandoned_cart_email``). It renders at once, we when the
message leaves, so figures are per cart, and ours with the rendering, too.

BENCH_STEPS=N: number of carts. BENCH_ODOO=N: of those that Odoo reminds of.
"""

import os
import sys

from bench_detection import make_carts
from common import Measure, environment, finish

CARTS = int(os.environ.get("BENCH_STEPS", "100000"))
ODOOS = min(int(os.environ.get("BENCH_ODOO", "300")), CARTS)
LIMIT_SECONDS = 60.0
MEMORY_LIMIT_MB = 400


def prepare(env):
    """Let everybody be on their way, with the first step due."""
    env.company.write(
        {
            "consent_policy": "soft_opt_in",
            "street": "Example Street 1",
            "city": "Brussels",
            "country_id": env.ref("base.be").id,
            "email": "shop@example.com",
        }
    )
    website = make_carts(env, CARTS)
    website.cart_recovery_enabled = True
    while env["abandoned.cart"]._detect_batch():
        env.cr.commit()
    sequence = env.ref("marketing_automation.sequence_cart_emails")
    sequence.holdout_percent = 10
    sequence.step_ids[1].condition_ids = [
        (0, 0, {"kind": "not_clicked"}),
        (0, 0, {"kind": "value_above", "amount": 1}),
    ]
    sequence.step_ids[1].write({"window_from": 0, "window_until": 24})
    env["marketing.enrollment"]._enroll_abandoned()
    env.cr.commit()
    make_due(env)
    return website


def make_due(env):
    env.flush_all()
    env.cr.execute(
        """UPDATE marketing_enrollment
              SET next_at = now() AT TIME ZONE 'UTC' - interval '1 minute'
            WHERE state = 'active'"""
    )
    env.cr.commit()
    env.invalidate_all()


def run_steps(env):
    """Process everything that is due, in committed batches as the job does."""
    done = 0
    with Measure() as measure:
        while count := env["marketing.enrollment"]._process_due_batch():
            env.cr.commit()
            done += count
    env.cr.execute(
        """SELECT state, reason, count(*) FROM marketing_message
            WHERE step_id IS NOT NULL GROUP BY 1, 2 ORDER BY 3 DESC"""
    )
    return measure, done, env.cr.fetchall()


def run_rendering(env, count):
    """Make messages ready as the dispatcher does: the gate once more, the texts."""
    messages = env["marketing.message"]._claim(count, env.company, "email")
    env.cr.commit()
    provider = env["marketing.provider"]._select(env.company, "email")
    with Measure() as measure:
        batch = env["marketing.dispatcher"]._prepare(messages, provider)
        env.cr.commit()
    return measure, len(batch)


def run_odoo(env, website, count):
    """Remind of carts one by one, as Odoo's own job does."""
    template = env.ref("website_sale.mail_template_sale_cart_recovery")
    carts = env["sale.order"].search(
        [("website_id", "=", website.id), ("state", "=", "draft")], limit=count
    )
    with Measure() as measure:
        for cart in carts:
            template.send_mail(
                cart.id, email_values={"email_to": cart.partner_id.email}
            )
            cart.cart_recovery_email_sent = True
        env.cr.commit()
    return measure, len(carts)


def main():
    problems = []
    with environment(sys.argv[1]) as env:
        website = prepare(env)
        for name in ("first step", "second step"):
            measure, done, outcomes = run_steps(env)
            print(
                f"{name:14} {done:8} runs {measure.seconds:8.2f} s"
                f" {measure.megabytes:6.0f} MB"
            )
            print(f"{'':14} {outcomes}")
            if done != CARTS:
                problems.append(f"{name}: {done} of {CARTS} processed")
            if measure.seconds > LIMIT_SECONDS:
                problems.append(
                    f"{name}: {measure.seconds:.1f} s, above {LIMIT_SECONDS:.0f} s"
                )
            if measure.megabytes > MEMORY_LIMIT_MB:
                problems.append(f"{name}: {measure.megabytes:.0f} MB")
            ours = measure.seconds / max(done, 1)
            make_due(env)
        rendering, rendered = run_rendering(env, ODOOS)
        env.invalidate_all()
        odoos, reminded = run_odoo(env, website, ODOOS)
    rendered_each = rendering.seconds / max(rendered, 1)
    odoos_each = odoos.seconds / max(reminded, 1)
    print(f"ours, per cart            {1000 * ours:8.3f} ms")
    print(f"ours, with its text       {1000 * (ours + rendered_each):8.3f} ms")
    print(f"Odoo's reminder, per cart {1000 * odoos_each:8.3f} ms")
    print(f"ratio                     {(ours + rendered_each) / odoos_each:8.2f}")
    if not rendered or not reminded:
        problems.append("nothing was rendered: not comparable")
    if ours + rendered_each > odoos_each:
        problems.append("slower than Odoo's own reminder")
    finish(problems)


if __name__ == "__main__":
    main()
