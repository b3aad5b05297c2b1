"""The main job, once, for real: see `make demo`.

A shopper fills a cart through the shop's own pages and leaves; a recovery email
crosses an SMTP connection into a local inbox; its link brings the cart back in a
fresh browser session; the order is confirmed and credited to the email.
"""

import datetime
import email
import email.policy
import html
import itertools
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.parse

import requests
from aiosmtpd.controller import Controller

ROOT = pathlib.Path(__file__).resolve().parent.parent
ODOO_DB = ROOT / "tools" / "odoo-db"
LOGIN = PASSWORD = "admin"
SHOPPER = {
    "name": "Anna Shopper",
    "email": "anna@example.com",
    "phone": "+32 2 290 34 90",
    "street": "Example Street 1",
    "city": "Brussels",
    "zip": "1000",
}
TIMEOUT = 60
# Seconds between the arrival of the email and the click, see SCANNER_SECONDS.
READING_TIME = 5


class DemoFailed(Exception):
    """Something did not happen that should have."""


# === What it runs on ===#


def free_port():
    """Return a TCP port on 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def preferred_port(port):
    """Return ``port``, or another one if it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return free_port()
        return port


class Inbox:
    """A mail server on 127.0.0.1 that keeps what it gets."""

    def __init__(self):
        self.messages = []
        self._announce = False
        self._server = Controller(self, hostname="127.0.0.1", port=free_port())

    @property
    def port(self):
        return self._server.port

    def __enter__(self):
        self._server.start()
        return self

    def __exit__(self, *_exc_info):
        self._server.stop()

    async def handle_DATA(self, _server, _session, envelope):
        message = email.message_from_bytes(
            envelope.original_content, policy=email.policy.default
        )
        self.messages.append(message)
        # Odoo itself writes to its users as well.
        if self._announce and message["List-Unsubscribe"]:
            say(f"  mail to {message['To']}: {message['Subject']}")
        return "250 OK"

    def announce(self):
        self._announce = True


class Odoo:
    """An Odoo server on this checkout's demo database."""

    def __init__(self, database, port, crons):
        self.url = f"http://127.0.0.1:{port}"
        self._session = requests.Session()
        self._ids = itertools.count(1)
        self._process = subprocess.Popen(
            [
                str(ROOT / "tools" / "odoo"),
                *("-d", database, "--db-filter", f"^{database}$"),
                *("--http-interface", "127.0.0.1", "--http-port", str(port)),
                *("--gevent-port", str(free_port())),
                *("--max-cron-threads", str(crons), "--log-level", "warn"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def __enter__(self):
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise DemoFailed(
                    "Odoo did not start. Try: tools/odoo -d … to see what it says."
                )
            try:
                requests.get(f"{self.url}/web/health", timeout=2).raise_for_status()
                return self
            except requests.RequestException:
                time.sleep(0.3)
        raise DemoFailed("Odoo did not answer within two minutes.")

    def __exit__(self, *_exc_info):
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()

    def wait(self):
        self._process.wait()

    def login(self, database):
        self._rpc(
            "/web/session/authenticate",
            {"db": database, "login": LOGIN, "password": PASSWORD},
        )

    def call(self, model, method, *args, **kwargs):
        """Call a method as the web client does, as the administrator."""
        return self._rpc(
            f"/web/dataset/call_kw/{model}/{method}",
            {"model": model, "method": method, "args": args, "kwargs": kwargs},
        )

    def read(self, model, domain, fields, **kwargs):
        return self.call(model, "search_read", domain, fields, **kwargs)

    def run_scheduled_action(self, xmlid):
        """Run a scheduled action now, as its *Run Manually* button does."""
        [record] = self.read(
            "ir.model.data",
            [("module", "=", "marketing_automation"), ("name", "=", xmlid)],
            ["res_id"],
        )
        self.call("ir.cron", "method_direct_trigger", [record["res_id"]])

    def _rpc(self, path, params):
        return call_json(self._session, self.url + path, params, next(self._ids))


def call_json(session, url, params, number=1):
    """Call a JSON-RPC route and return its result."""
    answer = session.post(
        url,
        json={"jsonrpc": "2.0", "id": number, "params": params},
        timeout=TIMEOUT,
    )
    answer.raise_for_status()
    content = answer.json()
    if "error" in content:
        data = content["error"].get("data") or {}
        raise DemoFailed(f"{url}: {data.get('message') or content['error']}")
    return content.get("result")


# === What is told ===#


def say(text=""):
    print(text, flush=True)


_steps = itertools.count(1)


def step(text):
    say(f"\n{next(_steps)}. {text}")


def seen(label, value):
    say(f"   {label}: {value}")


# === The story ===#


def prepare(odoo, inbox):
    """Let messages leave, into the local inbox and nowhere else."""
    odoo.call("ir.config_parameter", "set_param", "web.base.url", odoo.url)
    odoo.call("ir.config_parameter", "set_param", "web.base.url.freeze", "True")
    [company] = odoo.read("res.company", [], ["email"], limit=1)
    odoo.call("res.company", "write", [company["id"]], {"email": "shop@example.com"})
    [website] = odoo.read("website", [], ["name"], order="id", limit=1)
    odoo.call("website", "write", [website["id"]], {"name": "Example Shop"})
    server = odoo.call(
        "ir.mail_server",
        "create",
        [{"name": "Demo inbox", "smtp_host": "127.0.0.1", "smtp_port": inbox.port}],
    )
    [provider] = odoo.read("marketing.provider", [("kind", "=", "smtp")], ["name"])
    odoo.call(
        "marketing.provider", "write", [provider["id"]], {"mail_server_id": server[0]}
    )
    odoo.call("marketing.provider", "action_enable", [provider["id"]])
    # Odoo's demo data brings carts of its own; the figures are to speak of one shopper.
    others = odoo.call(
        "sale.order", "search", [("website_id", "!=", False), ("state", "=", "draft")]
    )
    odoo.call("sale.order", "write", others, {"cart_activity_at": False})
    seen("mail server", f"127.0.0.1:{inbox.port} (a local inbox; nothing leaves)")
    seen("left alone", f"{len(others)} carts of Odoo's demo data")


def pick_product(odoo):
    [product] = odoo.read(
        "product.product",
        [
            ("is_published", "=", True),
            ("sale_ok", "=", True),
            ("list_price", ">", 20),
            ("website_id", "=", False),
            ("product_template_variant_value_ids", "=", False),
            ("type", "=", "consu"),
        ],
        ["name", "product_tmpl_id", "list_price"],
        order="id",
        limit=1,
    )
    return product


def open_browser():
    """Return a session like a person's browser: one that nobody sits at is a robot."""
    session = requests.Session()
    session.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"
    # The shop's script sets it as soon as somebody moves.
    session.cookies.set("cart_person", "1")
    return session


def shop(odoo, product):
    """Fill a cart and enter an address through the shop's own pages; then leave."""
    session = open_browser()
    session.get(f"{odoo.url}/shop", timeout=TIMEOUT).raise_for_status()
    call_json(
        session,
        f"{odoo.url}/shop/cart/add",
        {
            "product_template_id": product["product_tmpl_id"][0],
            "product_id": product["id"],
            "quantity": 2,
        },
    )
    enter_address(odoo, session)
    [cart] = odoo.read(
        "sale.order",
        [("website_id", "!=", False), ("partner_id.email", "=", SHOPPER["email"])],
        ["name", "amount_total", "currency_id", "cart_activity_at"],
    )
    return cart


def enter_address(odoo, session):
    """Submit the checkout's address form."""
    page = session.get(f"{odoo.url}/shop/address", timeout=TIMEOUT)
    page.raise_for_status()
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    if not token:
        raise DemoFailed("The checkout shows no address form.")
    [country] = odoo.read("res.country", [("code", "=", "BE")], ["id"])
    answer = session.post(
        f"{odoo.url}/shop/address/submit",
        data={
            **SHOPPER,
            "country_id": country["id"],
            "address_type": "billing",
            "use_delivery_as_billing": "true",
            # Without it, the default policy leaves the shopper alone.
            "consent_cart": "on",
            "csrf_token": html.unescape(token.group(1)),
        },
        timeout=TIMEOUT,
    )
    answer.raise_for_status()
    if "invalid_fields" in answer.json():
        raise DemoFailed(f"The address was refused: {answer.json()}")


def let_time_pass(odoo, cart, hours):
    """Move the cart's last activity into the past: all that waiting would do."""
    at = datetime.datetime.fromisoformat(cart["cart_activity_at"])
    at -= datetime.timedelta(hours=hours)
    odoo.call("sale.order", "write", [cart["id"]], {"cart_activity_at": str(at)})


def find_links(message):
    """Return the targets behind the links of an email, by the link's text."""
    body = message.get_body(("html",)).get_content()
    found = {}
    for href, text in re.findall(
        r'<a\b[^>]*?href="(http[^"]+)"[^>]*>(.*?)</a>', body, re.DOTALL
    ):
        label = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())
        if label:
            found.setdefault(label, html.unescape(href))
    return found


def recovery_link(message):
    for label, url in find_links(message).items():
        target = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query).get("u", [""])
        if "/shop/cart/recover/" in target[0]:
            return label, url, target[0]
    raise DemoFailed("The email has no link back to the cart.")


def come_back(odoo, url, product):
    """Open the link in a session that has never seen the shop."""
    session = open_browser()
    page = session.get(url, timeout=TIMEOUT)
    page.raise_for_status()
    if product["name"] not in page.text:
        raise DemoFailed(f"The cart is not there: {page.url}")
    call_json(session, f"{odoo.url}/shop/cart/returned", {})
    enter_address(odoo, session)
    return page.url


def money(currency, amount):
    return f"{currency} {amount:,.2f}"


def play(odoo, inbox):
    step("The shop")
    prepare(odoo, inbox)
    product = pick_product(odoo)

    step("A shopper fills a cart, enters an address, and leaves")
    cart = shop(odoo, product)
    currency = cart["currency_id"][1]
    seen("in the cart", f"2 x {product['name']}")
    seen("cart", f"{cart['name']}, {money(currency, cart['amount_total'])}")
    seen("known by", SHOPPER["email"])
    for row in odoo.read(
        "marketing.preference",
        [("address", "=", SHOPPER["email"]), ("state", "=", "given")],
        ["purpose", "source"],
    ):
        seen("agreed to", f"purpose “{row['purpose']}”, ticked at {row['source']}")

    step("Time passes (the cart's last activity is moved back by 90 minutes)")
    let_time_pass(odoo, cart, hours=1.5)

    step("The scheduled actions run: find carts, work off steps, hand over messages")
    for name in ("detect_carts", "process_enrollments", "dispatch"):
        odoo.run_scheduled_action(f"ir_cron_{name}")
    carts = odoo.read(
        "abandoned.cart",
        [],
        ["name", "state", "amount_total", "customer_name", "exclusion_reason"],
    )
    for row in carts:
        seen("abandoned cart", f"{row['name']} of {row['customer_name']}")

    step("The email has crossed SMTP into the inbox")
    if not inbox.messages:
        outbox = odoo.read("marketing.message", [], ["state", "reason_detail"])
        raise DemoFailed(f"No email arrived. The outbox says: {outbox}")
    message = inbox.messages[0]
    label, url, target = recovery_link(message)
    seen("to", message["To"])
    seen("subject", message["Subject"])
    seen("button", label)
    seen("leads to", target)
    seen("one-click", message["List-Unsubscribe"])

    step("The link is opened in a fresh session, as on another device")
    # Who clicks sooner after delivery is taken for a link scanner.
    time.sleep(READING_TIME)
    seen("arrived at", come_back(odoo, url, product))
    seen("in the cart", product["name"])

    step("The order is confirmed")
    [order] = odoo.read(
        "sale.order",
        [
            ("restored_cart_ids", "in", [carts[0]["id"]]),
            ("state", "=", "draft"),
        ],
        ["name"],
    )
    odoo.call("sale.order", "action_confirm", [order["id"]])
    seen("order", order["name"])

    step("The backend knows what happened")
    recovered = odoo.read(
        "abandoned.cart",
        [("state", "=", "recovered")],
        ["name", "recovered_amount", "recovered_order_id", "recovered_message_id"],
    )
    for row in recovered:
        seen("recovered", f"cart {row['name']} by order {row['recovered_order_id'][1]}")
    messages = odoo.read(
        "marketing.message",
        [("state", "in", ("sent", "delivered"))],
        ["subject", "click_count", "attributed_revenue"],
    )
    for row in messages:
        seen("credited to", f"“{row['subject']}” ({row['click_count']} click)")
    revenue = sum(row["attributed_revenue"] for row in messages)
    if not recovered or not revenue:
        raise DemoFailed("The order was not credited to the email.")
    check_dashboard(odoo, currency, revenue)

    say()
    say(f"carts detected: {len(carts)}")
    say(f"messages delivered: {len(inbox.messages)}")
    say(f"carts recovered: {len(recovered)}")
    say(f"recovered revenue: {revenue:.2f} {currency}")


def check_dashboard(odoo, currency, revenue):
    """See the same on the dashboard, without waiting for any scheduled action."""
    data = odoo.call("marketing.dashboard", "get_data", {"period": "last_7"})
    shown = {figure["name"]: figure["value"] for figure in data["kpis"]}
    seen("dashboard", f"{money(currency, shown['recovered_revenue'])} recovered")
    if shown["credited_revenue"] != revenue:
        raise DemoFailed(f"The dashboard says otherwise: {shown}")


def serve(database, port, inbox):
    inbox.announce()
    with Odoo(database, port, crons=1) as odoo:
        say()
        say("The shop is open:")
        say(f"  backend  {odoo.url}/odoo/marketing-dashboard")
        say("           (login admin, password admin)")
        say(f"  shop     {odoo.url}/shop")
        say("Look at Marketing Automation > Carts: open the cart, then What happened.")
        say(
            "Leave a cart of your own: after 30 idle minutes it is found, an hour after"
        )
        say("you left the first email arrives. Emails are shown here. Ctrl+C ends it.")
        odoo.wait()


def main():
    database = sys.argv[1]
    if subprocess.run([ODOO_DB, "check", database]).returncode:
        sys.exit(1)
    port = preferred_port(int(os.environ.get("DEMO_PORT", "8069")))
    signal.signal(signal.SIGTERM, lambda *_args: sys.exit(143))
    try:
        with Inbox() as inbox:
            # No scheduler while the story is told: each action is run, and seen.
            with Odoo(database, port, crons=0) as odoo:
                odoo.login(database)
                play(odoo, inbox)
            if os.environ.get("DEMO_SERVE", "1") != "0":
                serve(database, port, inbox)
    except DemoFailed as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        say()


if __name__ == "__main__":
    main()
