from odoo.tests import HttpCase
from odoo.tests.common import HOST, Opener
from odoo.tools import SQL

from .common import MarketingCase

BROWSER = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Safari/537.36"
)


class MarketingHttpCase(MarketingCase, HttpCase):
    """Visitors with a browser and a session of their own, over real HTTP."""

    def setUp(self):
        super().setUp()
        self._new_visitor()

    def _new_visitor(self, login=None):
        """Take another browser: no cookie is left, or that of a new login."""
        if login:
            self.authenticate(login, login)
        else:
            self.opener = Opener(self)
        self._move_mouse()
        self.opener.headers["User-Agent"] = BROWSER

    def _move_mouse(self):
        """Be a person, as the browser of one tells the shop."""
        self.opener.cookies.set("cart_person", "1", domain=HOST)

    def _get(self, path, **kwargs):
        """Open an address the way a browser does, and see what others wrote."""
        response = self.url_open(path, **kwargs)
        self.env.invalidate_all()
        return response

    def _rpc(self, path, params=None):
        result = self.make_jsonrpc_request(path, params or {})
        self.env.invalidate_all()
        return result

    def _rows(self, *tables):
        """Return all rows of tables, to show that nothing at all has changed."""
        self.env.flush_all()
        return {
            table: self.env.execute_query(
                SQL("SELECT to_jsonb(t) FROM %s t ORDER BY id", SQL.identifier(table))
            )
            for table in tables
        }

    def _cookies(self, response):
        """Return the names of all cookies set on the way to a response."""
        return {
            cookie.name
            for step in [*response.history, response]
            for cookie in step.cookies
        }
