import {registry} from "@web/core/registry";

registry.category("web_tour.tours").add("marketing_automation_ab_build", {
    steps: () => [
        {
            trigger: "button[name=action_ab_test]",
            run: "click",
        },
        {
            content: "Two variants are there already, one of them the control",
            trigger:
                ".o_field_widget[name=variant_ids] .o_data_row:nth-child(1) input:checked",
        },
        {
            trigger:
                ".o_field_widget[name=variant_ids] .o_data_row:nth-child(2) td[name=subject]",
            run: "click",
        },
        {
            trigger:
                ".o_field_widget[name=variant_ids] .o_selected_row [name=subject] input",
            run: "edit Look at this",
        },
        {
            trigger: ".o_field_widget[name=test_share] input",
            run: "edit 50 && press Tab",
        },
        {
            content: "The calculator says what half of the list shows",
            trigger: ".o_field_widget[name=plan] tr.table-active:contains('50 %')",
        },
        {
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            trigger: ".o_form_saved, .o_form_view:not(.o_form_dirty)",
        },
        {
            trigger: ".breadcrumb-item a:contains('Spring')",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=name] :is(input, textarea)",
        },
    ],
});

registry.category("web_tour.tours").add("marketing_automation_ab_decide", {
    steps: () => [
        {
            trigger: ".alert:contains('No variant of the A/B test') button",
            run: "click",
        },
        {
            trigger: ".o_marketing_ab_result:contains('p-value')",
        },
        {
            trigger: ".alert:contains('Choose what the 20 who wait get')",
        },
        {
            trigger: ".o_data_row:contains('B') button[name=action_send_to_rest]",
            run: "click",
        },
        {
            trigger: ".modal .btn-primary",
            run: "click",
        },
        {
            trigger: ".alert:contains('sent B to the 20 who waited')",
        },
    ],
});
