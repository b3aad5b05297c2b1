"""A thousand signed events of SendGrid, posted at once to a real server.

All kinds of events, each about another message, with the signature of the event
webhook. The slowest of three requests counts; a repetition of one must change nothing.

BENCH_EVENTS=N: events in a request.
"""

import base64
import itertools
import json
import os
import sys
import time
import urllib.request

from common import environment, finish, make_customers
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from newsletter import make_mail_server, make_products, make_template, queue
from servers import OdooServer

EVENTS = int(os.environ.get("BENCH_EVENTS", "1000"))
REQUESTS = 3
LIMIT_SECONDS = 1.0
# What comes of a newsletter on a bad day: event, how many of forty, what it brings.
MIX = (
    ("processed", 10, {}),
    ("delivered", 14, {"response": "250 OK"}),
    ("open", 8, {"useragent": "Mozilla/5.0", "ip": "192.0.2.7"}),
    (
        "click",
        3,
        {
            "useragent": "Mozilla/5.0",
            "ip": "192.0.2.7",
            "url": "https://shop.example.com/shop",
        },
    ),
    ("deferred", 1, {"response": "451 try again later"}),
    ("bounce", 1, {"type": "bounce", "reason": "550 5.1.1 no such user"}),
    ("dropped", 1, {"reason": "Bounced Address"}),
    ("spamreport", 1, {}),
    ("unsubscribe", 1, {}),
)
WARM_UP = 40


class EventWebhook:
    """The sending side of SendGrid's signed event webhook."""

    def __init__(self):
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._numbers = itertools.count(1)
        self.public_key = base64.b64encode(
            self._key.public_key().public_bytes(
                serialization.Encoding.DER,
                serialization.PublicFormat.SubjectPublicKeyInfo,
            )
        ).decode()

    def write(self, recipients):
        """Write the body of a request: one event for each recipient.

        :param list recipients: pairs (our key of the message, address)
        :rtype: bytes
        """
        kinds = itertools.cycle(
            (kind, extra) for kind, share, extra in MIX for _n in range(share)
        )
        now = int(time.time())
        events = [
            {
                "email": address,
                "timestamp": now,
                "event": kind,
                "sg_event_id": f"event-{next(self._numbers)}",
                "sg_message_id": "bench.filter-1",
                "message": key,
                **extra,
            }
            for (key, address), (kind, extra) in zip(recipients, kinds, strict=False)
        ]
        return json.dumps(events).encode() + b"\r\n"

    def post(self, url, body):
        """Sign and post a body.

        :return: seconds until it was answered
        :rtype: float
        """
        timestamp = str(int(time.time()))
        signature = self._key.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
        request = urllib.request.Request(
            url,
            body,
            {
                "Content-Type": "application/json",
                "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
                "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(
                    signature
                ).decode(),
            },
        )
        start = time.perf_counter()
        with urllib.request.urlopen(request, timeout=60) as answer:
            answer.read()
        return time.perf_counter() - start


def make_sent_messages(env, count, public_key):
    """Write messages as if an account at SendGrid had taken them.

    :return: the account, and pairs (our key of the message, address)
    :rtype: tuple
    """
    provider = env["marketing.provider"].create(
        {
            "name": "SendGrid",
            "kind": "sendgrid",
            "sendgrid_api_key": "SG.bench",
            "sendgrid_webhook_key": public_key,
        }
    )
    make_mail_server(env, 9)  # Nothing is to leave.
    template = make_template(env, make_products(env))
    first = make_customers(env, count) + 1
    queue(env, template, range(first, first + count))
    env.cr.execute(
        """UPDATE marketing_message SET state = 'sent', sending_at = create_date,
                  sent_at = create_date, provider_id = %s, message_ref = 'bench'""",
        [provider.id],
    )
    env.cr.commit()
    env.invalidate_all()
    messages = env["marketing.message"].search([("provider_id", "=", provider.id)])
    return provider, [(m._get_key(), m.email_normalized) for m in messages]


def count_results(env):
    """Count messages by state, and engagement by kind.

    :rtype: dict
    """
    env.cr.commit()  # What was written since is seen in a new transaction only.
    env.cr.execute(
        """SELECT state, count(*) FROM marketing_message GROUP BY 1
            UNION ALL
           SELECT 'engagement: ' || kind, count(*) FROM marketing_engagement GROUP BY 1
            ORDER BY 1"""
    )
    return dict(env.cr.fetchall())


def main():
    database = sys.argv[1]
    webhook = EventWebhook()
    with environment(database) as env:
        provider, recipients = make_sent_messages(
            env, EVENTS * REQUESTS + WARM_UP, webhook.public_key
        )
        warm_up = webhook.write(recipients[:WARM_UP])
        bodies = [
            webhook.write(recipients[start : start + EVENTS])
            for start in range(WARM_UP, len(recipients), EVENTS)
        ]
        with OdooServer(database) as server:
            url = f"{server.url}/marketing/webhook/{provider.webhook_token}"
            webhook.post(url, warm_up)
            seconds = [webhook.post(url, body) for body in bodies]
            results = count_results(env)
            repeated = webhook.post(url, bodies[0])
            unchanged = count_results(env) == results
    for kind, count in results.items():
        print(f"{kind:25} {count:6}")
    for number, taken in enumerate(seconds, 1):
        print(f"request {number}: {EVENTS} events in {taken:5.2f} s")
    print(f"the first again:          {repeated:5.2f} s")
    print(f"bound: {LIMIT_SECONDS:.0f} s")
    problems = []
    if not unchanged:
        problems.append("events that came twice counted twice")
    if not (results.get("engagement: click") and results.get("delivered")):
        problems.append("the events were not taken in")
    if max(seconds) >= LIMIT_SECONDS:
        problems.append(f"{EVENTS} events took {max(seconds):.2f} s")
    finish(problems)


if __name__ == "__main__":
    main()
