{
    "name": "Marketing Automation",
    "summary": "Win back abandoned carts with messages that customers trust",
    "version": "19.0.1.1.0",
    "category": "Marketing",
    "license": "LGPL-3",
    "author": "Marketing Automation contributors",
    "depends": [
        "website_sale_loyalty",
        "mass_mailing",
        "phone_validation",
        "digest",
    ],
    "external_dependencies": {
        "python": ["jinja2", "css-inline", "dnspython", "sendgrid", "twilio"]
    },
    "data": [
        "security/marketing_automation_groups.xml",
        "security/ir.model.access.csv",
        "security/marketing_automation_rules.xml",
        "data/marketing_provider_data.xml",
        "data/marketing_template_data.xml",
        "data/marketing_sequence_data.xml",
        "data/ir_cron_data.xml",
        "views/content/marketing_template_views.xml",
        "views/sequence/sequence_timeline_templates.xml",
        "views/sequence/marketing_enrollment_views.xml",
        "views/sequence/marketing_sequence_views.xml",
        "views/cart/cart_lines_templates.xml",
        "views/cart/cart_timeline_templates.xml",
        "views/cart/abandoned_cart_views.xml",
        "views/delivery/marketing_message_views.xml",
        "views/delivery/marketing_provider_views.xml",
        "views/settings/res_config_settings_views.xml",
        "views/website/link_templates.xml",
        "views/website/recovery_templates.xml",
        "views/website/unsubscribe_templates.xml",
        "views/menus.xml",
    ],
    "assets": {
        "web.assets_backend": [
            "marketing_automation/static/src/fields/**/*",
            "marketing_automation/static/src/scss/backend.scss",
        ],
        "web.assets_frontend": [
            "marketing_automation/static/src/interactions/**/*",
        ],
        "web.assets_tests": [
            "marketing_automation/static/tests/tours/**/*",
        ],
    },
    "application": True,
    "post_init_hook": "post_init_hook",
}
