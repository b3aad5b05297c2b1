import {registry} from "@web/core/registry";

registry.category("web_tour.tours").add("marketing_automation_cart_form", {
    steps: () => [
        {
            content: "Open the cart that was written about",
            trigger:
                ".o_list_view .o_data_row:contains('Tess Tour') td[name=customer_name]",
            run: "click",
        },
        {
            content: "Its state is shown",
            trigger:
                ".o_statusbar_status .o_arrow_button_current:contains('Recovery Started')",
        },
        {
            content: "The snapshot has the product, with its picture and quantity",
            trigger:
                ".o_field_widget[name=lines_html] tr:contains('Tour lamp'):contains('2') img[src*='/web/image/product.product/']",
        },
        {
            content: "See what happened",
            trigger: ".o_notebook .nav-link:contains('What Happened')",
            run: "click",
        },
        {
            trigger:
                ".o_field_widget[name=timeline] .o_marketing_timeline_event:contains('Customer left'):has(time)",
        },
        {
            trigger:
                ".o_field_widget[name=timeline] .o_marketing_timeline_event:contains('Friendly reminder')",
        },
        {
            content: "See the messages",
            trigger: ".o_notebook .nav-link:contains('Messages')",
            run: "click",
        },
        {
            content: "Open the first one",
            trigger:
                ".o_field_widget[name=message_ids] .o_data_row:contains('Friendly reminder'):contains('Sent') td[name=step_id]",
            run: "click",
        },
        {
            content: "It is shown as the recipient sees it",
            trigger: ".modal .o_field_widget[name=body_html] iframe",
        },
        {
            trigger: ".modal .alert-info:contains('Nobody received it')",
        },
        {
            trigger: ".modal .o_form_button_cancel, .modal .btn-close",
            run: "click",
        },
        {
            content: "See the run",
            trigger:
                "body:not(:has(.modal)) .o_notebook .nav-link:contains('Sequence')",
            run: "click",
        },
        {
            content: "Stop the recovery by hand",
            trigger: ".o_field_widget[name=enrollment_ids] button[name=action_stop]",
            run: "click",
        },
        {
            trigger: ".modal .modal-footer .btn-primary",
            run: "click",
        },
        {
            trigger:
                "body:not(:has(.modal)) .o_field_widget[name=enrollment_ids] .o_data_row:contains('Stopped by hand')",
        },
    ],
});

const NOTE = "#marketing_recovery_setting .alert";
const SWITCH =
    "#marketing_recovery_setting .o_field_widget[name=cart_recovery_enabled] input";

registry.category("web_tour.tours").add("marketing_automation_settings_off", {
    steps: () => [
        {
            content: "The note says what happens to Odoo's own reminder",
            trigger: `${NOTE}:contains('switched off for this website')`,
        },
        {
            content: "The sandbox is pointed out",
            trigger:
                "#marketing_provider_setting:contains('Sandbox') .alert:contains('no customer receives anything')",
        },
        {
            content: "Switch recovery off",
            trigger: SWITCH,
            run: "click",
        },
        {
            trigger: `${NOTE}:contains('Nobody is reminded')`,
        },
        {
            content: "Save",
            trigger: ".o_form_button_save",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger:
                ".o_web_client:not(:has(.o_dirty_warning)) #marketing_recovery_setting",
        },
    ],
});

registry.category("web_tour.tours").add("marketing_automation_settings_on", {
    steps: () => [
        {
            content: "The note says that Odoo's own reminder writes now",
            trigger: `${NOTE}:contains('on for this website')`,
        },
        {
            content: "Switch recovery on",
            trigger: SWITCH,
            run: "click",
        },
        {
            content: "Wait longer before a cart counts as abandoned",
            trigger:
                "#marketing_recovery_setting .o_field_widget[name=cart_idle_minutes] input",
            run: "edit 45",
        },
        {
            content: "Save",
            trigger: ".o_form_button_save",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger:
                ".o_web_client:not(:has(.o_dirty_warning)) #marketing_recovery_setting",
        },
    ],
});
