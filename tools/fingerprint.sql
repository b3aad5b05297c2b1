-- What a module can leave behind in a database, one line a thing. Compared
-- between a database that never had the addon and one that lost it.
SELECT 'column ' || table_name || '.' || column_name
  FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT 'index ' || indexname FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'constraint ' || conrelid::regclass || '.' || conname
  FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'sequence (SQL) ' || sequencename
  FROM pg_sequences WHERE schemaname = 'public'
UNION ALL SELECT 'function ' || proname
  FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT 'trigger ' || tgrelid::regclass || '.' || tgname
  FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'model ' || model FROM ir_model
UNION ALL SELECT 'field ' || model || '.' || name FROM ir_model_fields
UNION ALL SELECT 'selection ' || f.model || '.' || f.name || '.' || s.value
  FROM ir_model_fields_selection s JOIN ir_model_fields f ON f.id = s.field_id
UNION ALL SELECT 'external id ' || module || '.' || name FROM ir_model_data
  WHERE module != '__export__'
    -- Odoo lists every addon that it finds in its paths, installed or not.
    AND NOT (module = 'base' AND name LIKE 'module\_%')
-- Odoo gives foreign keys no external id and so keeps its own note of them after
-- any module's removal; whether they are really gone is asked above.
UNION ALL SELECT 'model constraint ' || name FROM ir_model_constraint WHERE type != 'f'
UNION ALL SELECT 'model relation ' || name FROM ir_model_relation
UNION ALL SELECT 'access ' || name FROM ir_model_access
UNION ALL SELECT 'record rule ' || coalesce(name, id::text) FROM ir_rule
UNION ALL SELECT 'group ' || name::text FROM res_groups
UNION ALL SELECT 'view ' || coalesce(key, name) FROM ir_ui_view
UNION ALL SELECT 'menu ' || name::text FROM ir_ui_menu
UNION ALL SELECT 'action ' || type || ' ' || coalesce(name::text, '') FROM ir_actions
UNION ALL SELECT 'cron ' || cron_name FROM ir_cron
UNION ALL SELECT 'parameter ' || key FROM ir_config_parameter
UNION ALL SELECT 'sequence ' || name FROM ir_sequence
UNION ALL SELECT 'asset ' || path FROM ir_asset
UNION ALL SELECT 'default ' || f.model || '.' || f.name
  FROM ir_default d JOIN ir_model_fields f ON f.id = d.field_id
UNION ALL SELECT 'filter ' || name FROM ir_filters
UNION ALL SELECT 'mail template ' || name::text FROM mail_template
UNION ALL SELECT 'SMS template ' || name::text FROM sms_template
UNION ALL SELECT 'mail subtype ' || name::text FROM mail_message_subtype
UNION ALL SELECT 'activity type ' || name::text FROM mail_activity_type
UNION ALL SELECT 'menu (website) ' || name::text FROM website_menu
UNION ALL SELECT 'page ' || url FROM website_page
UNION ALL SELECT 'digest ' || name::text FROM digest_digest
UNION ALL SELECT 'tip ' || name::text FROM digest_tip
UNION ALL SELECT 'UTM campaign ' || name FROM utm_campaign
UNION ALL SELECT 'UTM source ' || name FROM utm_source
UNION ALL SELECT 'UTM medium ' || name FROM utm_medium
UNION ALL SELECT 'mailing ' || subject::text FROM mailing_mailing
UNION ALL SELECT 'mailing list ' || name::text FROM mailing_list
UNION ALL SELECT 'loyalty program ' || name::text FROM loyalty_program
UNION ALL SELECT 'attachment ' || name FROM ir_attachment
  WHERE url IS NULL OR url NOT LIKE '/web/assets/%';
