import re

from .http_common import MarketingHttpCase
from .smtp_server import RecordingSmtpServer

TEXT = "Email me the newsletter of the shop."


class OptInCase(MarketingHttpCase):
    """Requests for consent, and the mailbox they are confirmed from."""

    def setUp(self):
        super().setUp()
        self.website.domain = False
        self.company.consent_policy = "opt_in"
        self.address = "zoe@example.com"

    def _request(self, address=None, purposes=("newsletter", "offers"), **kwargs):
        """Ask for a confirmation; the request it came to, empty for none."""
        requests = self.env["marketing.opt.in"]
        before = requests.search([])
        requests._request(
            self.company,
            address or self.address,
            purposes,
            "checkout",
            website=self.website,
            ip="192.0.2.7",
            text=kwargs.pop("text", TEXT),
            **kwargs,
        )
        self.env.flush_all()
        return requests.search([]) - before

    def _receive(self):
        """Hand over what is due, over SMTP; the emails that arrived."""
        with RecordingSmtpServer() as server, self._use_smtp(server.port):
            self._run_cron("ir_cron_dispatch")
            self.env.invalidate_all()
            return [server.parsed(place) for place in range(len(server.messages))]

    def _find_link(self, mail):
        """Return the path of the page that the email's button leads to."""
        html = mail.get_body(("html",)).get_content()
        return re.search(r'href="http[^"]*?(/marketing/confirm/[^"]*)"', html)[1]

    def _said(self, address=None):
        """Return what is recorded of an address: state and source by purpose."""
        return {
            preference.purpose: (preference.state, preference.source)
            for preference in self.env["marketing.preference"].search(
                [("address", "=", address or self.address)]
            )
        }

    def _log(self, address=None):
        digest = self.env["marketing.suppression"]._hash([address or self.address])
        return self.env["marketing.consent.log"].search(
            [("address_hash", "in", digest)], order="id"
        )
