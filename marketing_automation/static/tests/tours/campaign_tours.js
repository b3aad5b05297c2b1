import {registry} from "@web/core/registry";

/** Choose a record in a field that looks for what is typed. */
function pick(field, name) {
    return [
        {
            trigger: `.o_field_widget[name=${field}] input`,
            run: `edit ${name}`,
        },
        {
            trigger: `.ui-menu-item > a:contains('${name}')`,
            run: "click",
        },
    ];
}

function next(step) {
    return [
        {
            trigger: "button[name=action_next_step]",
            run: "click",
        },
        {
            trigger: `.o_arrow_button_current:contains('${step}')`,
        },
    ];
}

registry.category("web_tour.tours").add("marketing_automation_campaign_build", {
    steps: () => [
        {
            trigger: ".o-kanban-button-new",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=name] :is(input, textarea)",
            run: "edit Tour campaign",
        },
        ...pick("segment_ids", "Customers"),
        {
            content: "It says how many people that are",
            trigger: ".o_field_widget[name=audience_size]:contains('6')",
        },
        ...next("Content"),
        ...pick("template_id", "News"),
        {
            trigger: ".o_field_widget[name=subject] input",
            run: "edit A subject of its own && press Tab",
        },
        {
            content: "The preview shows it",
            trigger:
                ".o_field_widget[name=preview_subject]:contains('A subject of its own')",
        },
        {
            trigger: ".o_field_widget[name=preview_html] iframe",
        },
        ...next("Schedule"),
        {
            trigger: ".o_field_widget[name=is_at_once] input",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=scheduled_at] :is(input, button)",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=scheduled_at] input",
            run: "edit 01/15/2040 09:00:00",
        },
        {
            trigger: ".o_field_widget[name=spread_hours] input",
            run: "edit 2",
        },
        ...next("Review"),
        {
            trigger: ".o_marketing_campaign_review strong:contains('5')",
        },
        {
            content: "And why somebody does not get it",
            trigger: ".o_marketing_campaign_review td:contains('Opted out')",
        },
        {
            trigger: "button[name=action_confirm]:contains('Schedule')",
            run: "click",
        },
        {
            trigger: ".o_arrow_button_current:contains('Scheduled')",
        },
    ],
});

registry.category("web_tour.tours").add("marketing_automation_campaign_control", {
    steps: () => [
        {
            trigger: ".o_arrow_button_current:contains('Sending')",
        },
        {
            content: "What the campaign says can no longer be changed",
            trigger: ".o_form_view:not(:has(button[name=action_next_step]))",
        },
        {
            trigger: "button[name=action_pause]",
            run: "click",
        },
        {
            trigger: ".o_arrow_button_current:contains('Paused')",
        },
        {
            trigger: "button[name=action_schedule]",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=spread_hours] input",
            run: "edit 3",
        },
        {
            trigger: ".modal button[name=action_apply]",
            run: "click",
        },
        {
            trigger:
                "body:not(:has(.modal)) .alert:contains('getting their new times')",
        },
        {
            trigger: "button[name=action_resume]",
            run: "click",
        },
        {
            trigger: ".o_arrow_button_current:contains('Sending')",
        },
        {
            trigger: "button[name=action_view_recipients]",
            run: "click",
        },
        {
            trigger: ".o_list_view .o_data_row:contains('person0@example.com')",
        },
    ],
});

registry.category("web_tour.tours").add("marketing_automation_campaign_series", {
    steps: () => [
        {
            trigger: ".o-kanban-button-new",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=name] :is(input, textarea)",
            run: "edit Tour series",
        },
        {
            trigger: ".o_field_widget[name=sends] input[data-value=sequence]",
            run: "click",
        },
        {
            content: "The channel is that of each message",
            trigger: ".o_form_view:not(:has(.o_field_widget[name=channel]))",
        },
        ...pick("segment_ids", "Customers"),
        ...next("Content"),
        ...pick("sequence_id", "Onboarding"),
        {
            trigger: ".o_marketing_campaign_series:contains('Hello')",
        },
        {
            trigger:
                ".o_marketing_campaign_series:contains('3 days after the beginning')",
        },
        ...next("Schedule"),
        ...next("Review"),
        {
            trigger:
                ".o_marketing_campaign_review:contains('Who gets the first message') strong:contains('6')",
        },
        {
            trigger: "button[name=action_confirm]:contains('Send Now')",
            run: "click",
        },
        {
            trigger: ".modal .modal-footer .btn-primary",
            run: "click",
        },
        {
            trigger: ".o_arrow_button_current:contains('Scheduled')",
        },
    ],
});
