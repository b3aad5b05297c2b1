const SOURCES = {
    email: ["subject", "preheader", "body_html", "body_text"],
    sms: ["body_sms"],
};

/**
 * A template as it stands on the screen, as `marketing.template.get_preview` wants it.
 *
 * @param {Object} record
 * @param {Object} drafts what is being typed, by field name
 */
export function studioQuestion(record, drafts) {
    const {channel, context, category, company_id: company} = record.data;
    const names = SOURCES[channel] || [];
    return {
        template_id: record.resId || false,
        channel,
        context,
        category,
        company_id: company?.id || false,
        sources: Object.fromEntries(
            names.map((name) => [name, drafts[name] ?? record.data[name] ?? ""])
        ),
    };
}
