import {choose} from "./tour_helper";
import {registry} from "@web/core/registry";

const NO_DIALOG = "body:not(:has(.modal))";
const SAVE_STEP = ".modal .modal-footer .o_form_button_save";

/** Save the form, and wait until that is done. */
function save() {
    return [
        {
            trigger: `${NO_DIALOG} .o_form_button_save:enabled`,
            run: "click",
        },
        {
            trigger: ".o_form_saved .o_marketing_step [data-figure=sent]",
        },
    ];
}

/** Fill in the dialog of a new step, and save it. */
function fillStep(name, hours, template) {
    return [
        {
            trigger: ".modal .o_field_widget[name=name] :is(input, textarea)",
            run: `edit ${name}`,
        },
        {
            trigger: ".modal .o_field_widget[name=delay_value] input",
            run: `edit ${hours}`,
        },
        {
            trigger: ".modal .o_field_widget[name=template_id] input",
            run: `edit ${template}`,
        },
        {
            trigger: `.ui-menu-item > a:contains('${template}')`,
            run: "click",
        },
        {
            trigger: SAVE_STEP,
            run: "click",
        },
    ];
}

function stepAt(place) {
    return `${NO_DIALOG} .o_marketing_step:nth-child(${place})`;
}

registry.category("web_tour.tours").add("marketing_automation_sequence_editor", {
    steps: () => [
        {
            trigger: ".o_list_button_add",
            run: "click",
        },
        {
            content: "An empty sequence says what to do",
            trigger: ".o_marketing_run_empty:contains('Nothing is sent yet')",
        },
        {
            trigger: ".oe_title .o_field_widget[name=name] :is(input, textarea)",
            run: "edit Tour sequence",
        },
        {
            trigger: ".o_marketing_step_first",
            run: "click",
        },
        ...fillStep("Friendly reminder", 1, "Abandoned cart 1"),
        {
            content: "The card says when and what",
            trigger: `${stepAt(1)}:contains('1 hour after leaving'):contains('Friendly reminder')`,
        },
        {
            trigger: ".o_marketing_step_add_last",
            run: "click",
        },
        ...fillStep("Last word", 72, "Abandoned cart 3"),
        {
            content: "A step between the two",
            trigger: `${stepAt(2)}:contains('Last word') .o_marketing_step_add`,
            run: "click",
        },
        ...fillStep("Can we help?", 24, "Abandoned cart 2"),
        {
            trigger: `${stepAt(3)}:contains('Last word')`,
        },
        {
            content: "One click on a card edits it",
            trigger: `${stepAt(2)}:contains('Can we help?') .o_marketing_step_open`,
            run: "click",
        },
        {
            trigger:
                ".modal .o_field_widget[name=condition_ids] .o_field_x2many_list_row_add a",
            run: "click",
        },
        ...choose("kind", "left a cart worth at least"),
        {
            trigger: ".modal .o_field_widget[name=amount] input",
            run: "edit 50",
        },
        {
            trigger: ".modal .o_field_widget[name=window_from] input",
            run: "edit 9:00",
        },
        {
            trigger: ".modal .o_field_widget[name=window_until] input",
            run: "edit 20:00 && press Tab",
        },
        {
            trigger: SAVE_STEP,
            run: "click",
        },
        {
            content: "Conditions and hours read as sentences",
            trigger: `${stepAt(2)}:contains('left a cart worth at least'):contains('50'):contains('from 09:00 to 20:00')`,
        },
        ...save(),
        {
            content: "Arrows reorder, with the keyboard, too",
            trigger: `${stepAt(2)} .o_marketing_step_up`,
            run: "click",
        },
        {
            trigger: `${stepAt(1)}:contains('Can we help?')`,
        },
        {
            trigger: `${stepAt(1)} .o_marketing_step_down:focus`,
            run: "click",
        },
        {
            trigger: `${stepAt(1)}:contains('Friendly reminder')`,
        },
        {
            content: "Deleted in its dialog",
            trigger: `${stepAt(3)} .o_marketing_step_open`,
            run: "click",
        },
        {
            trigger: ".modal .modal-footer .o_btn_remove",
            run: "click",
        },
        {
            trigger: `${NO_DIALOG} .o_marketing_run:not(:contains('Last word'))`,
        },
        ...save(),
        {
            content: "Each change is a version",
            trigger: ".nav-link:contains('Versions')",
            run: "click",
        },
        {
            trigger:
                ".o_field_widget[name=version_ids] td:contains('“Last word” removed')",
        },
        {
            trigger:
                ".o_data_row:contains('First version') button[name=action_restore]",
            run: "click",
        },
        {
            trigger: ".modal:contains('nobody gets a step twice') .btn-primary",
            run: "click",
        },
        {
            trigger: `${NO_DIALOG} td:contains('Back to version 1')`,
        },
        {
            trigger: ".nav-link:contains('How It Runs')",
            run: "click",
        },
        {
            trigger: `${stepAt(3)}:contains('Last word')`,
        },
    ],
});

registry.category("web_tour.tours").add("marketing_automation_sequence_figures", {
    steps: () => [
        {
            content: "What became of the step so far",
            trigger:
                ".o_marketing_step:first [data-figure=sent]:contains('1'):contains('sent')",
        },
        {
            trigger: ".o_marketing_step:first [data-figure=clicked]:contains('100 %')",
        },
        {
            trigger: ".o_marketing_step:first [data-figure=revenue]:contains('40.00')",
        },
        {
            trigger:
                ".o_marketing_run_exit:contains('the customer bought'):contains('1')",
        },
        {
            content: "Who waits for the second step now",
            trigger: ".o_marketing_step:eq(1) [data-figure=waiting]:contains('1')",
            run: "click",
        },
        {
            trigger: ".o_list_view .o_data_row:contains('waits@example.com')",
        },
        {
            trigger: ".breadcrumb-item a:contains('Cart recovery')",
            run: "click",
        },
        {
            content: "What it would have done, before it is switched on",
            trigger: "button[name=action_replay]",
            run: "click",
        },
        {
            trigger: ".o_marketing_replay:contains('2'):contains('carts left behind')",
        },
        {
            trigger:
                ".o_marketing_replay_step:contains('Friendly reminder') .o_marketing_replay_people",
            run: "click",
        },
        {
            trigger:
                ".o_list_view .o_data_row:contains('waits@example.com'):contains('Would be sent')",
        },
    ],
});

registry.category("web_tour.tours").add("marketing_automation_sequence_reader", {
    steps: () => [
        {
            content: "Who may only look sees the run, and nothing to press in vain",
            trigger:
                ".o_marketing_run:not(:has(.o_marketing_step_add, .o_marketing_step_tools))",
        },
        {
            trigger: ".o_marketing_step_open:first",
            run: "click",
        },
        {
            trigger:
                ".modal:not(:has(.o_btn_remove)) .o_field_widget[name=template_id]:not(:has(input))",
        },
    ],
});

registry.category("web_tour.tours").add("marketing_automation_contact_sequence", {
    steps: () => [
        {
            trigger: ".o_list_button_add",
            run: "click",
        },
        {
            trigger: ".o_marketing_run_empty:contains('a welcome')",
        },
        {
            trigger: ".oe_title .o_field_widget[name=name] :is(input, textarea)",
            run: "edit Tour welcome",
        },
        {
            trigger: ".o_marketing_step_first",
            run: "click",
        },
        ...fillStep("Hello", 0, "News"),
        {
            trigger: `${stepAt(1)}:contains('at once'):contains('Hello')`,
        },
        {
            trigger: ".o_marketing_step_add_last",
            run: "click",
        },
        {
            content: "Nobody here has left a cart",
            trigger:
                ".modal .o_field_widget[name=condition_ids] .o_field_x2many_list_row_add a",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=kind] input",
            run: "click",
        },
        {
            trigger:
                ".o_select_menu_menu:not(:contains('left a cart worth')):contains('has clicked')",
        },
        {
            trigger: ".o_select_menu_item:contains('has not clicked')",
            run: "click",
        },
        ...fillStep("A hint", 48, "News"),
        {
            trigger: `${stepAt(2)}:contains('has not clicked')`,
        },
        {
            content: "It does not end with a cart",
            trigger:
                ".o_marketing_run_exits:contains('opted out'):not(:contains('the cart'))",
        },
        ...save(),
    ],
});
