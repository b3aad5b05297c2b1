"""A campaign to a million people, and the same with an A/B test of five variants: until
all of it is queued, until the winner is on its way to the rest, and until all of them
have another time.

BENCH_CUSTOMERS=N: how many people there are; all of them get it.
"""

import sys

from bench_campaign import CUSTOMERS, in_an_hour, make_campaign, send
from common import Measure, environment, finish, make_customers
from newsletter import make_products, make_template

VARIANTS = "ABCDE"
# Of what the campaign takes without a test.
QUEUE_RATIO = 1.5
MOVE_RATIO = 1.5


def make_segments(env, first):
    """Put everybody into a segment, and nobody into another."""
    everybody, nobody = env["customer.segment"].create(
        [{"name": name, "kind": "static"} for name in ("Everybody", "Nobody")]
    )
    env.cr.execute(
        """INSERT INTO segment_membership (segment_id, partner_id, entered_at, source)
           SELECT %s, id, now() AT TIME ZONE 'UTC', 'manual' FROM res_partner
            WHERE id > %s""",
        [everybody.id, first],
    )
    env.cr.commit()
    env.cr.execute("ANALYZE segment_membership")
    env.cr.commit()
    return everybody, nobody


def make_test(env, campaign):
    test = env["ab.test"].create(
        {
            "campaign_id": campaign.id,
            "test_share": 20,
            "variant_ids": [
                (0, 0, {"name": name, "subject": name, "is_control": name == "A"})
                for name in VARIANTS
            ],
        }
    )
    env.cr.commit()
    env.invalidate_all()
    return test


def decide(env, test):
    """Decide it, which releases the rest; nobody has reacted, so the control wins."""
    with Measure() as measure:
        test._decide()
        env.cr.commit()
    return measure


def reschedule(env, campaign):
    """Choose another time for all who wait, each at their local one."""
    with Measure() as measure:
        campaign.write({"scheduled_at": in_an_hour(env), "is_local_time": True})
        env.cr.commit()
        env["email.campaign"]._cron_run()
        env.cr.commit()
    return measure


def count(env, campaign):
    """Return how many there are of each variant, and how many wait for the winner."""
    env.cr.execute(
        """SELECT count(*) FILTER (WHERE scheduled_at IS NULL),
                  array_agg(DISTINCT variant_id) FROM marketing_message
            WHERE campaign_id = %s""",
        [campaign.id],
    )
    return env.cr.fetchone()


def main():
    problems = []
    with environment(sys.argv[1]) as env:
        env.company.partner_id.write(
            {
                "street": "Example Street 1",
                "city": "Brussels",
                "country_id": env.ref("base.be").id,
            }
        )
        segments = make_segments(env, make_customers(env, CUSTOMERS))
        template = make_template(env, make_products(env))
        plain, queued = send(env, make_campaign(env, template, segments))
        campaign = make_campaign(env, template, segments)
        test = make_test(env, campaign)
        tested, queued_with_test = send(env, campaign)
        waiting, variants = count(env, campaign)
        decided = decide(env, test)
        left, winners = count(env, campaign)
        moved = reschedule(env, campaign)
        for name, measure, people, ratio in (
            ("without a test", plain, queued, None),
            ("with a test", tested, queued_with_test, QUEUE_RATIO),
            ("decision, and the rest", decided, waiting, MOVE_RATIO),
            ("another time for all", moved, queued_with_test, MOVE_RATIO),
        ):
            times = measure.seconds / plain.seconds
            print(f"{name:23}{people:9} in {measure.seconds:6.2f} s  x {times:.2f}")
            if ratio and times > ratio:
                problems.append(f"{name}: {times:.2f} times, above {ratio}")
        if not queued == queued_with_test == CUSTOMERS:
            problems.append(f"{queued}, {queued_with_test} messages, not {CUSTOMERS}")
        if waiting != CUSTOMERS - CUSTOMERS // 5 or left:
            problems.append(f"{waiting} waited, {left} still do")
        if len(variants) != len(VARIANTS) + 1 or None in winners:
            problems.append("somebody got no variant")
    finish(problems)


if __name__ == "__main__":
    main()
