from . import marketing_template, opt_in_context, template_context
