from werkzeug.exceptions import NotFound

from odoo.exceptions import AccessError, UserError
from odoo.http import Controller, content_disposition, request, route

OPTIONS = ("period", "first", "last", "kind")


class Dashboard(Controller):
    @route(
        "/marketing/dashboard/export",
        type="http",
        auth="user",
        methods=["GET"],
        readonly=True,
        sitemap=False,
    )
    def export(self, format="xlsx", companies="", website="", **options):
        """Hand out the figures of the dashboard as a file.

        :param str format: ``xlsx`` or ``csv``
        :param str companies: ids, separated by commas; the user's own if empty
        :param str website: id; all if empty
        :param options: ``period``, ``first``, ``last``, ``kind`` as of the dashboard
        """
        known = {name: options[name] for name in OPTIONS if name in options}
        try:
            if companies:
                ids = [int(company) for company in companies.split(",")]
                request.update_context(allowed_company_ids=ids)
            known["website"] = int(website or 0)
            content, mime_type, name = request.env["marketing.dashboard"]._export(
                known, format
            )
        except (AccessError, UserError, ValueError) as error:
            raise NotFound() from error
        return request.make_response(
            content,
            [
                ("Content-Type", mime_type),
                ("Content-Disposition", content_disposition(name)),
                ("Cache-Control", "no-store"),
                ("X-Content-Type-Options", "nosniff"),
            ],
        )
