"""The third phase: campaigns are paused, resumed, given other times and cancelled while
worker processes send them, one message or several one after the other."""

import random
import time
from functools import partial

import journal
import outbox
from processes import Herd

PEOPLE = 400
# So many have it when something is done for the first time.
FIRST = 30
PAUSES = 4
# How long a batch that was taken before a pause may still be on its way.
SETTLING_SECONDS = 3.0
QUIET_SECONDS = 1.0
DEADLINE_SECONDS = 120
# What is done to each of the campaigns.
NAMES = ("paused", "cancelled", "moved", "series")
# Messages that one goes through at once, one after the other.
STEPS = 2


def prepare(env, smtp_port):
    """Set up an account without limits, and drafts of campaigns to different people.

    :return: id of the campaign by its name
    :rtype: dict[str, int]
    """
    env["marketing.provider"].search([("kind", "!=", "sandbox")]).action_disable()
    env["marketing.provider"].create(
        {
            "name": "Campaigns",
            "kind": "smtp",
            "mail_server_id": outbox.create_mail_server(env, smtp_port).id,
        }
    ).action_enable()
    template = env["marketing.template"].search([("name", "=", "Chaos")], limit=1)
    campaigns = {}
    for name in NAMES:
        people = outbox.create_people(env, f"campaign-{name}", PEOPLE, odd=False)
        segment = env["customer.segment"].create({"name": name, "kind": "static"})
        segment.add_contacts(people.ids, "manual")
        campaign = env["email.campaign"].create(
            {
                "name": name,
                "segment_ids": segment.ids,
                "template_id": template.id,
                "company_id": env.company.id,
            }
        )
        if name == "series":
            sequence = _make_sequence(env, template)
            campaign.write({"sends": "sequence", "sequence_id": sequence.id})
        campaigns[name] = campaign.id
    return campaigns


def _make_sequence(env, template):
    env.company.email_cap_hours = 0
    step = {"name": "Step", "delay_value": 0, "template_id": template.id}
    return env["marketing.sequence"].create(
        {
            "name": "Chaos",
            "kind": "contact",
            "step_ids": [(0, 0, {**step, "sequence": place}) for place in range(STEPS)],
        }
    )


def play(database, smtp_port, book, verdict, batch_size, workers):
    """Send the campaigns, and interfere.

    :param Journal book: what the mail server took
    """
    with outbox.environment(database) as env:
        campaigns = prepare(env, smtp_port)
        env.cr.commit()
    with Herd(partial(outbox.work, database, batch_size), workers) as herd:
        _begin(database, campaigns, "paused", book)
        late = [
            count
            for _time in range(PAUSES)
            if (count := _pause_and_resume(database, campaigns, "paused", book))
        ]
        _begin(database, campaigns, "series", book)
        late += [
            count
            for _time in range(PAUSES)
            if (count := _pause_and_resume(database, campaigns, "series", book))
        ]
        _begin(database, campaigns, "cancelled", book)
        _do(database, campaigns["cancelled"], "action_cancel")
        _begin(database, campaigns, "moved", book)
        _do(database, campaigns["moved"], "write", _spread_over(hours=1))
        _run_cron(database)
        before = _count(book, "moved")
        time.sleep(QUIET_SECONDS)
        after = _count(book, "moved")
        _do(database, campaigns["moved"], "write", _spread_over(hours=0))
        states = _wait_for_end(database, campaigns)
        verdict.check("no worker ended by itself", herd.exits)
    verdict.count("emails of the campaigns accepted", sum(_get_accepted(book).values()))
    verdict.check("a paused campaign sends nothing", late)
    verdict.check(
        "one was cancelled in the middle", _count(book, "cancelled") == PEOPLE
    )
    verdict.check("one was moved in the middle", before == PEOPLE)
    # What was on its way when it was moved may arrive, and few are due by chance.
    verdict.check(
        "a campaign that was moved waits", max(after - before - batch_size * workers, 0)
    )
    _judge(database, campaigns, states, book, verdict)


def _judge(database, campaigns, states, book, verdict):
    accepted = _get_accepted(book)
    verdict.check(
        "nobody got a campaign twice",
        {
            address: count
            for address, count in accepted.items()
            if count > 1 and "-series-" not in address
        },
    )
    verdict.check(
        "everybody got each message of a series once",
        [
            address
            for address, count in accepted.items()
            if count != STEPS and "-series-" in address
        ],
    )
    for name, expected in (
        ("paused", "completed"),
        ("cancelled", "cancelled"),
        ("moved", "completed"),
        ("series", "completed"),
    ):
        counts = _read_figures(database, campaigns[name])
        arrived = _count(book, name)
        expected_count = PEOPLE * (STEPS if name == "series" else 1)
        verdict.count(f"{name}: arrived of {expected_count}", arrived)
        verdict.check(f"{name}: it is {expected}", states[name] != expected)
        verdict.check(f"{name}: sent is what arrived", counts["sent"] - arrived)
        verdict.check(
            f"{name}: nobody is lost",
            expected_count - counts["sent"] - counts["cancelled"] - counts["skipped"],
        )
        if name != "cancelled":
            verdict.check(f"{name}: everybody got it", expected_count - arrived)


def _begin(database, campaigns, name, book):
    """Start a campaign, and wait until some have it."""
    _do(database, campaigns[name], "action_confirm")
    _run_cron(database)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while _count(book, name) < FIRST and time.monotonic() < deadline:
        time.sleep(0.02)


def _pause_and_resume(database, campaigns, name, book):
    """Pause, look whether anything leaves, and resume.

    :return: how many arrived while it was paused
    """
    campaign_id = campaigns[name]
    time.sleep(random.uniform(0.1, 0.4))
    _do(database, campaign_id, "action_pause")
    _wait_until_quiet(database, campaign_id)
    before = _count(book, name)
    time.sleep(QUIET_SECONDS)
    late = _count(book, name) - before
    _do(database, campaign_id, "action_resume")
    return late


def _wait_until_quiet(database, campaign_id):
    deadline = time.monotonic() + SETTLING_SECONDS
    while time.monotonic() < deadline:
        with outbox.environment(database) as env:
            if not env["marketing.message"].search_count(
                [("campaign_id", "=", campaign_id), ("state", "=", "sending")]
            ):
                return
        time.sleep(0.1)


def _do(database, campaign_id, method, *args):
    def act(env):
        getattr(env["email.campaign"].browse(campaign_id), method)(*args)
        env.cr.commit()

    outbox.patiently(database, act)


def _spread_over(hours):
    now = outbox.now()
    return {"scheduled_at": now, "spread_hours": hours}


def _run_cron(database):
    outbox.patiently(database, lambda env: env["email.campaign"]._cron_run())


def _wait_for_end(database, campaigns):
    """Run the scheduled action until nothing waits.

    :return: state by name
    :rtype: dict[str, str]
    """
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        _run_cron(database)
        with outbox.environment(database) as env:
            states = {
                name: env["email.campaign"].browse(campaign_id).state
                for name, campaign_id in campaigns.items()
            }
            waiting = env["marketing.message"].search_count(
                [
                    ("campaign_id", "in", list(campaigns.values())),
                    ("state", "in", ("queued", "sending")),
                ]
            )
        if time.monotonic() > deadline or (
            not waiting and not {"running", "scheduled"} & set(states.values())
        ):
            return states
        time.sleep(0.3)


def _read_figures(database, campaign_id):
    with outbox.environment(database) as env:
        campaign = env["email.campaign"].browse(campaign_id)
        campaign._refresh_figures()
        return {
            name: campaign[f"{name}_count"] for name in ("sent", "cancelled", "skipped")
        }


def _get_accepted(book):
    return {
        address: count
        for address, count in journal.accepted(book.read()).items()
        if address.startswith("campaign-")
    }


def _count(book, name):
    return sum(
        count
        for address, count in _get_accepted(book).items()
        if address.startswith(f"campaign-{name}-")
    )
