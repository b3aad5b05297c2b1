import {registry} from "@web/core/registry";

registry.category("web_tour.tours").add("marketing_automation_replies", {
    steps: () => [
        {
            content: "What may be an objection is marked",
            trigger:
                ".o_list_view .o_data_row:contains('How did you get my number?'):contains('May Be an Objection') td[name=text]",
            run: "click",
        },
        {
            content: "It says what to do",
            trigger: ".o_form_view .alert-warning:contains('may be an objection')",
        },
        {
            content: "Record it",
            trigger: "button[name=action_record_objection]",
            run: "click",
        },
        {
            trigger:
                ".modal .o_field_widget[name=text]:contains('How did you get my number?')",
        },
        {
            trigger: ".modal button[name=action_record]",
            run: "click",
        },
        {
            content: "It is done with",
            trigger:
                "body:not(:has(.modal)) .o_statusbar_status .o_arrow_button_current:contains('Handled')",
        },
        {
            trigger: ".o_field_widget[name=is_objection] input:checked",
        },
    ],
});
