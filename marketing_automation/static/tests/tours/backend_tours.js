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

const FINDING = ".o_field_widget[name=check_html] .o_marketing_check_problem";

registry.category("web_tour.tours").add("marketing_automation_account", {
    steps: () => [
        {
            content: "Accounts are listed by channel",
            trigger: ".o_list_view .o_group_name:contains('Email')",
        },
        {
            content: "Add one",
            trigger: ".o_list_button_add",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=name] input",
            run: "edit Tour account",
        },
        {
            content: "Choose SendGrid",
            trigger: ".o_field_widget[name=kind] input",
            run: "click",
        },
        {
            trigger: ".o_select_menu_item:contains('SendGrid')",
            run: "click",
        },
        {
            content: "Nothing of other kinds is asked for",
            trigger:
                ".o_form_view:has([name=sendgrid_api_key]):not(:has([name=twilio_account_sid])):not(:has([name=mail_server_id]))",
        },
        {
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            content: "The address for the webhook is there, to be copied",
            trigger:
                ".o_field_widget[name=webhook_url]:contains('/marketing/webhook/') .o_clipboard_button",
        },
        {
            content: "Enable it without a key",
            trigger: "button[name=action_enable]",
            run: "click",
        },
        {
            trigger: ".modal:contains('reach real people') .btn-primary",
            run: "click",
        },
        {
            content: "It says what is missing",
            trigger: ".modal:contains('Enter the API Key first')",
        },
        {
            trigger: ".modal .btn-primary, .modal .btn-close",
            run: "click",
        },
        {
            content: "Enter a key; it does not show",
            trigger:
                "body:not(:has(.modal)) .o_field_widget[name=sendgrid_api_key] input[type=password]",
            run: "edit SG.tour.0123456789abcdef",
        },
        {
            content: "Nobody answers at this address",
            trigger: ".o_notebook .nav-link:contains('Advanced')",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=base_url] input",
            run: "edit http://127.0.0.1:9",
        },
        {
            trigger: "button[name=action_test_connection]",
            run: "click",
        },
        {
            trigger: ".o_notebook .nav-link:contains('Connection')",
            run: "click",
        },
        {
            content: "The test says so in words",
            trigger: `${FINDING}:contains('could not be reached')`,
        },
        {
            content: "Set limits",
            trigger: ".o_notebook .nav-link:contains('Limits')",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=daily_limit] input",
            run: "edit 500",
        },
        {
            content: "Let it warm up",
            trigger:
                ".o_field_widget[name=warm_up_from] button, .o_field_widget[name=warm_up_from] input",
            run: "click",
        },
        {
            trigger: ".o_datetime_picker .o_today",
            run: "click",
        },
        {
            content: "The plan shows",
            trigger:
                ".o_field_widget[name=warm_up_html] .o_marketing_bar:contains('50')",
        },
        {
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            content: "It is saved",
            trigger: "body:not(:has(.o_form_button_save:visible))",
        },
        {
            content: "Today's use and its limit show",
            trigger: ".oe_stat_button [name=today_usage]:contains('0 / 50')",
        },
    ],
});

registry.category("web_tour.tours").add("marketing_automation_ledger", {
    steps: () => [
        {
            content: "Why did Anna not get it? First click",
            trigger: "button[name=action_view_marketing_decisions]:contains('2')",
            run: "click",
        },
        {
            content: "What was decided about her, and why",
            trigger:
                ".o_data_row:contains('Spring news'):contains('Held Back'):contains('Had another message shortly before')",
        },
        {
            content: "Second click: the message itself",
            trigger: ".o_data_row:contains('Spring news') td[name=reason]",
            run: "click",
        },
        {
            content: "It says until when it waits",
            trigger:
                ".o_form_view .alert-info:contains('Waits until'):contains('because')",
        },
        {
            trigger: ".o_notebook .nav-link:contains('What Happened')",
            run: "click",
        },
        {
            trigger:
                ".o_field_widget[name=history_html] tr:contains('Had another message shortly before')",
        },
    ],
});

registry.category("web_tour.tours").add("marketing_automation_sandbox", {
    steps: () => [
        {
            content: "Open a message of the inbox",
            trigger: ".o_data_row:contains('tess@example.com') td[name=subject]",
            run: "click",
        },
        {
            trigger: ".o_form_view .alert-info:contains('Nobody received it')",
        },
        {
            content: "Somebody clicks",
            trigger: "button[name=action_simulate_clicked]",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=click_count]:contains('1')",
        },
        {
            trigger: ".o_notebook .nav-link:contains('Engagement')",
            run: "click",
        },
        {
            trigger:
                ".o_field_widget[name=engagement_ids] .o_data_row:contains('Click'):contains('Phone')",
        },
        {
            content: "It bounces",
            trigger: "button[name=action_simulate_bounced]",
            run: "click",
        },
        {
            content: "What this does is said before",
            trigger: ".modal:contains('blacklist') .btn-primary",
            run: "click",
        },
        {
            trigger:
                ".o_form_view .alert-danger:contains('Came back'):contains('The address does not exist')",
        },
        {
            trigger: ".o_statusbar_status .o_arrow_button_current:contains('Bounced')",
        },
    ],
});

const CARD = ".o_field_widget[name=marketing_metrics_html] .o_marketing_customer_card";

registry.category("web_tour.tours").add("marketing_automation_customer", {
    steps: () => [
        {
            content: "Customers are counted by group",
            trigger: ".o_graph_view .o_graph_canvas_container canvas",
            // The first graph waits for its library to be put together.
            timeout: 60000,
        },
        {
            content: "See them one by one",
            trigger: ".o_switch_view.o_list",
            run: "click",
        },
        {
            content: "Open a customer",
            trigger:
                ".o_data_row:contains('Tess Tour'):contains('Champions') td[name=partner_id]",
            run: "click",
        },
        {
            content: "See the customer in figures",
            trigger: ".o_notebook .nav-link:contains('Marketing')",
            run: "click",
        },
        {
            trigger: `${CARD} .o_marketing_customer_group:contains('Champions')`,
        },
        {
            content: "Scores say what they mean",
            trigger: `${CARD} .o_marketing_score[title*='latest fifth']:contains('5')`,
        },
        {
            content: "The next order is expected, in words",
            trigger: `${CARD} dd:contains('Around'):contains('between')`,
        },
        {
            content: "Figures of guests with the same address are in it",
            trigger: `${CARD} p:contains('2 contacts have this email address')`,
        },
    ],
});

registry.category("web_tour.tours").add("marketing_automation_customer_empty", {
    steps: () => [
        {
            content: "A contact that never ordered",
            trigger: ".o_notebook .nav-link:contains('Marketing')",
            run: "click",
        },
        {
            trigger: `${CARD}:contains('Nothing to tell yet')`,
        },
    ],
});
