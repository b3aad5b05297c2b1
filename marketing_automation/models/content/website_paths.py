"""Which pages of our own shop there are, found out without asking it over HTTP."""

from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect

from odoo import models
from odoo.exceptions import AccessError, MissingError
from odoo.fields import Domain
from odoo.http import request, root


class Website(models.Model):
    _inherit = "website"

    def _find_dead_paths(self, paths):
        """Find out which paths of this website nobody answers: no page, no product or
        other published record, no file, no redirection.

        :param paths: paths as they stand in addresses, without query
        :return: those that are dead; none without a request, as the routes of Odoo can
            be asked in one only
        :rtype: set[str]
        """
        self.ensure_one()
        if not request:
            return set()
        return {path for path in paths if not self._answers(path)}

    def _answers(self, path):
        path = self._strip_language(path)
        return bool(
            root.get_static_file(path)
            or self._has_route(path)
            or self._has_page(path)
            or self._has_redirection(path)
            or self._has_file(path)
        )

    def _strip_language(self, path):
        first, _slash, rest = path.lstrip("/").partition("/")
        if first in self.sudo().language_ids.mapped("url_code"):
            path = f"/{rest}"
        return path.rstrip("/") or "/"

    def _has_route(self, path):
        """Whether a controller answers, and shows what the address speaks of."""
        adapter = self.env["ir.http"].routing_map().bind("")
        try:
            _rule, arguments = adapter.match(path, method="GET", return_rule=True)
        except RequestRedirect:
            return True
        except MethodNotAllowed:
            return False
        except (NotFound, HTTPException):
            return False
        return all(
            self._shows(value)
            for value in arguments.values()
            if isinstance(value, models.BaseModel)
        )

    def _shows(self, records):
        """Whether visitors of this website see these records."""
        records = records.with_env(self.sudo().env).with_context(active_test=False)
        try:
            if not records.exists():
                return False
            return all(
                (name not in records._fields or all(records.mapped(name)))
                for name in ("active", "is_published")
            ) and (
                "website_id" not in records._fields
                or all(r.website_id in (self.browse(), self) for r in records)
            )
        except (AccessError, MissingError):
            return False

    def _has_page(self, path):
        domain = Domain("url", "=", path) & self.website_domain()
        page = (
            self.env["website.page"].sudo().search(domain, order="website_id", limit=1)
        )
        return path == "/" or bool(page.website_published)

    def _has_redirection(self, path):
        domain = (
            Domain("url_from", "in", [path, f"{path}/"])
            & Domain("redirect_type", "!=", "404")
            & self.website_domain()
        )
        return self.env["website.rewrite"].sudo().search_count(domain, limit=1)

    def _has_file(self, path):
        domain = [("type", "=", "binary"), ("url", "=", path)]
        return self.env["ir.attachment"].sudo().search_count(domain, limit=1)
