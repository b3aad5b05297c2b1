{
    "name": "Marketing Automation: Events",
    "summary": "Carts with event tickets are recovered, with ticket and time slot",
    "version": "19.0.1.0.0",
    "category": "Marketing",
    "license": "LGPL-3",
    "author": "Marketing Automation contributors",
    "depends": ["marketing_automation", "website_event_sale"],
    "auto_install": True,
}
