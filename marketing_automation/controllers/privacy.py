from odoo.http import Controller, content_disposition, request, route


class Privacy(Controller):
    @route(
        "/marketing/privacy/export/<int:wizard_id>",
        type="http",
        auth="user",
        methods=["GET"],
        readonly=True,
        sitemap=False,
    )
    def export(self, wizard_id, **_kwargs):
        """Hand out what is stored about a person to the manager who asked for it.

        The file is written for this answer and kept nowhere.

        :param int wizard_id: the request, which only its own user may open
        """
        wizard = request.env["marketing.privacy.wizard"].browse(wizard_id).exists()
        if not wizard or not wizard._is_mine():
            return request.not_found()
        person = wizard._find_person()
        content = request.env["marketing.privacy"]._export(person)
        return request.make_response(
            content,
            [
                ("Content-Type", "application/zip"),
                ("Content-Disposition", content_disposition("personal-data.zip")),
                ("Cache-Control", "no-store"),
            ],
        )
