"""What reports cost where everything is one campaign to a million people.

A fifth of them open it within a week, a twentieth click, some order. Then the campaign
is counted again, its page is opened, and the days of the outbox are counted by mail
domain.

BENCH_MESSAGES=N: how many got the campaign.
"""

import os
import sys
from functools import partial

from common import Measure, environment, finish

MESSAGES = int(os.environ.get("BENCH_MESSAGES", "1000000"))
# To open the page; the rest is done in the background.
PAGE_SECONDS = 0.5
COUNT_SECONDS = 30.0
DAY_SECONDS = 5.0
PAGE = ["figures_html", "curve_html", "domains_html", "links_html", "click_map_html"]


def make_campaign(env):
    """Create a campaign that ended yesterday, with its messages, by SQL.

    :rtype: email.campaign
    """
    campaign = env["email.campaign"].create({"name": "Bench"})
    env.flush_all()
    env.cr.execute(
        """UPDATE email_campaign
              SET state = 'completed', started_at = now() - interval '9 days',
                  ended_at = now() - interval '1 day'
            WHERE id = %s""",
        [campaign.id],
    )
    env.cr.execute(
        """INSERT INTO marketing_content (company_id, created_at, checksum, html)
           VALUES (%s, now(), 'bench',
                   '<a href="https://shop.example.com/new">New</a>')
        RETURNING id""",
        [env.company.id],
    )
    [content_id] = env.cr.fetchone()
    make_messages(env, campaign, content_id)
    make_engagement(env)
    env.cr.commit()
    env.cr.execute("ANALYZE marketing_message, marketing_engagement")
    env.cr.commit()
    env.invalidate_all()
    return campaign


def make_messages(env, campaign, content_id):
    """Write what was sent within a week: to four large mail domains and many small."""
    env.cr.execute(
        """INSERT INTO marketing_message (
               create_date, dedupe_key, state, state_changed_at, channel, priority,
               company_id, campaign_id, email, email_normalized, attempts, sent_at,
               sending_at, content_id, history)
           SELECT v.at, 'bench:' || n,
                  CASE WHEN n %% 50 = 0 THEN 'bounced' ELSE 'delivered' END,
                  v.at + interval '1 minute', 'email', 50, %(company)s, %(campaign)s,
                  v.email, v.email, 1, v.at, v.at, %(content)s,
                  jsonb_build_array(
                      jsonb_build_object('at', v.at, 'state', 'sending'),
                      jsonb_build_object('at', v.at, 'state', 'sent'),
                      jsonb_build_object('at', v.at, 'state', 'delivered'))
             FROM generate_series(1, %(count)s) n
            CROSS JOIN LATERAL (
                  SELECT (now() AT TIME ZONE 'UTC') - interval '9 days'
                         + interval '7 days' * (n::float / %(count)s) AS at,
                         'customer' || n || '@' || CASE
                             WHEN n %% 10 < 6 THEN 'large' || n %% 4
                             ELSE 'small' || (n::bigint * 7919) %% 3001 END
                         || '.example.com' AS email) v""",
        {
            "company": env.company.id,
            "campaign": campaign.id,
            "content": content_id,
            "count": MESSAGES,
        },
    )


def make_engagement(env):
    """Write what people did: opens of every fifth, clicks of every twentieth."""
    for kind, every in (("open", 5), ("click", 20), ("unsubscribe", 500)):
        env.cr.execute(
            """INSERT INTO marketing_engagement (
                   message_id, company_id, kind, occurred_at, is_machine, url, label,
                   position)
               SELECT m.id, m.company_id, %(kind)s,
                      m.sent_at + interval '5 days' * power(random(), 4), FALSE,
                      CASE WHEN %(kind)s = 'click'
                           THEN 'https://shop.example.com/' || m.id %% 30 END,
                      CASE WHEN %(kind)s = 'click' THEN 'New' END,
                      CASE WHEN %(kind)s = 'click' THEN 1 + m.id %% 30 END
                 FROM marketing_message m
                WHERE m.id %% %(every)s = 0 AND m.dedupe_key LIKE 'bench:%%'""",
            {"kind": kind, "every": every},
        )


def measure(name, function, limit, problems):
    """Time something, say so, and note when it took too long."""
    with Measure() as measured:
        function()
    print(f"{name:32} {measured.seconds * 1000:8.0f} ms {measured.megabytes:5.0f} MB")
    if measured.seconds > limit:
        problems.append(f"{name}: {measured.seconds:.2f} s, above {limit} s")


def main():
    problems = []
    with environment(sys.argv[1]) as env:
        campaign = make_campaign(env)
        for name, function in (
            ("totals, days and page", campaign._refresh_figures),
            ("of these, days", campaign._refresh_days),
            ("of these, page", campaign._count_page),
        ):
            measure(name, function, COUNT_SECONDS, problems)
        env.cr.commit()
        stats = env["email.deliverability.stats"]
        due = stats._find_due()
        for number, one in enumerate(due):
            name = f"mail domains, day {number + 1} of {len(due)}"
            measure(name, partial(stats._count_day, *one), DAY_SECONDS, problems)
        env.cr.commit()
        measure("which days to count", stats._find_due, PAGE_SECONDS, problems)
        env.invalidate_all()
        measure("page", partial(campaign.read, PAGE), PAGE_SECONDS, problems)
    finish(problems)


if __name__ == "__main__":
    main()
