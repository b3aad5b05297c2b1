from . import marketing_template, template_context
