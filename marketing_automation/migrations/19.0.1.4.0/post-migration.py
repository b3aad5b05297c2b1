"""What was shipped with a mistake."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    divide_link_and_code(env)


def divide_link_and_code(env):
    """Text messages with a coupon gave the link and the code without a blank between
    them: Jinja takes the line end behind a tag away. The link led nowhere."""
    wrong, right = "{% if coupon %}\nCode ", '{% if coupon %}{{ "\\n" }}Code '
    templates = (
        env["marketing.template"]
        .with_context(active_test=False)
        .search([("channel", "=", "sms")])
    )
    for template in templates:
        stored = template._fields["body_sms"]._get_stored_translations(template) or {}
        mended = {
            lang: source.replace(wrong, right)
            for lang, source in stored.items()
            if source and wrong in source
        }
        if mended:
            template.update_field_translations("body_sms", mended)
