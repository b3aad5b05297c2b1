"""Designing an email with Odoo's editor of mailings instead of writing code.

The design is kept beside the source that is made of it; the source alone is sent. So a
design can always be left for the code, and be gone back to as long as the code is what
the design makes: code written by hand has no place in a design, and would be lost.
"""

import difflib

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import get_lang

from ...tools import designer
from .marketing_template import SKELETON

# What a new design starts with. Odoo's own themes bring expressions of their own along.
STARTER = Markup(
    '<div data-name="Mailing" class="o_layout oe_unremovable oe_unmovable bg-200 '
    'o_empty_theme"><div class="container o_mail_wrapper o_mail_regular '
    'oe_unremovable"><div class="row mw-100 mx-0"><div class="col o_mail_no_options '
    'o_mail_wrapper_td bg-white oe_structure"><section class="s_text_block '
    'o_mail_snippet_general pt40 pb40" style="padding-left: 15px; padding-right: '
    '15px;" data-snippet="s_text_block" data-name="Text" data-vxml="001"><div '
    'class="container s_allow_columns">%s</div></section></div></div></div></div>'
)


class MarketingTemplate(models.Model):
    _inherit = "marketing.template"

    editor = fields.Selection(
        [("code", "Code"), ("designer", "Designer")],
        required=True,
        default="code",
        help="The designer is Odoo's own, of email marketing. Code is HTML with Jinja.",
    )
    body_design = fields.Html(
        string="Design", translate=True, sanitize="email_outgoing"
    )
    # The same with its styles in the elements, as the designer hands it over.
    design_html = fields.Html(translate=True, sanitize="email_outgoing")
    # What the designer asks its record for.
    mailing_model_id = fields.Many2one("ir.model", compute="_compute_mailing_model")
    mailing_model_real = fields.Char(compute="_compute_mailing_model")

    def _compute_mailing_model(self):
        model = self.env["ir.model"].sudo()._get("res.partner")
        self.mailing_model_id = model
        self.mailing_model_real = model.model

    @api.onchange("design_html")
    def _onchange_design_html(self):
        if self.editor == "designer" and self.design_html:
            self.body_html = self._get_designed_source()

    @api.onchange("editor")
    def _onchange_editor(self):
        """Go over to the designer where nothing is lost by it."""
        if self.editor != "designer":
            return None
        warning = self._get_loss()
        if warning:
            self.editor = "code"
            return {"warning": warning}
        if not self.body_design:
            self.body_design = (
                STARTER
                % Markup("<h1>%s</h1><p>…</p>")
                % (self.env._("Hello {{ customer.first_name }}"))
            )
        return None

    def _get_designed_source(self):
        try:
            return designer.to_source(self.design_html)
        except designer.DesignError as error:
            raise UserError(
                self.env._(
                    "A part of the design is shown to some customers only, by a filter."
                    " Remove the filter, and use a conditional section: {% if … %} and "
                    "{% endif %} in lines of their own."
                )
            ) from error

    def _get_loss(self):
        """Return a warning where designs do not have what was written as code: on the
        screen, or in another language. Empty where nothing would be lost."""
        lost = self._get_lost_lines()
        if lost:
            return self._describe_loss(lost)
        own = get_lang(self.env).code
        for code, name in self.env["res.lang"].get_installed():
            lost = (
                code != own and self._origin.with_context(lang=code)._get_lost_lines()
            )
            if lost:
                return self._describe_loss(lost, name)
        return {}

    def _get_lost_lines(self):
        """Return the lines of code that a design does not have."""
        code = (self.body_html or "").strip()
        if code in ("", SKELETON.strip()):
            return []
        made = self._get_designed_source() if self.design_html else ""
        lines = code.splitlines()
        found = difflib.SequenceMatcher(None, made.strip().splitlines(), lines)
        return [
            line
            for kind, _from, _to, begin, end in found.get_opcodes()
            if kind != "equal"
            for line in lines[begin:end]
            if line.strip()
        ]

    def _describe_loss(self, lost, language=""):
        title = self.env._("The code stays")
        return {
            "title": f"{title} ({language})" if language else title,
            "message": self.env._(
                "The design does not have what was written as code: %(count)s line(s) "
                "would be lost, the first one is “%(line)s”. Undo them, and the design "
                "comes back; or design a new template.",
                count=len(lost),
                line=lost[0].strip()[:80],
            ),
        }
