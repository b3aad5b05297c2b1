import {choose} from "./tour_helper";
import {registry} from "@web/core/registry";

const PREVIEW = ".o_marketing_preview:not([aria-busy='true'])";
const SAVE_CONDITION = ".modal:last .modal-footer .o_form_button_save";

/** Add a condition of a kind, fill it in, and see how many people are left. */
function addCondition(kind, steps, sentence, size) {
    return [
        {
            content: `Add a condition: ${kind}`,
            trigger: "body:not(:has(.modal)) .o_marketing_condition_add",
            run: "click",
        },
        {
            trigger: `.o_marketing_condition_menu [data-kind=${kind}]`,
            run: "click",
        },
        ...steps,
        {
            trigger: SAVE_CONDITION,
            run: "click",
        },
        {
            content: "It reads as a sentence",
            trigger: `body:not(:has(.modal)) .o_marketing_condition:contains('${sentence}')`,
        },
        {
            content: "Who meets it shows before anything is saved",
            trigger: `${PREVIEW} .o_marketing_preview_size:contains(/^${size}$/)`,
        },
    ];
}

registry.category("web_tour.tours").add("marketing_automation_segment_builder", {
    steps: () => [
        {
            content: "Segments are cards with their size",
            trigger: ".o_kanban_record:contains('Tour guests'):contains('1')",
        },
        {
            trigger: ".o-kanban-button-new",
            run: "click",
        },
        {
            content: "An empty segment says what to do",
            trigger: `${PREVIEW}:contains('As soon as there is a condition')`,
        },
        {
            trigger:
                ".o_field_widget[name=name] input, .o_field_widget[name=name] textarea",
            run: "edit Tour regulars",
        },
        ...addCondition(
            "behaviour",
            [
                {
                    trigger: ".modal .o_field_widget[name=times] input",
                    run: "edit 2",
                },
                {
                    trigger: ".modal .o_field_widget[name=period_days] input",
                    run: "edit 90 && press Tab",
                },
                {
                    content: "The sentence follows",
                    trigger:
                        ".modal .o_field_widget[name=summary]:contains('at least 2 times'):contains('90 days')",
                },
            ],
            "at least 2 times",
            4
        ),
        ...addCondition(
            "customer",
            [
                {
                    trigger: ".modal .o_multi_record_selector input",
                    run: "edit Germany",
                },
                {
                    trigger: ".o-autocomplete--dropdown-item:contains('Germany')",
                    run: "click",
                },
                {
                    trigger:
                        ".modal .o_field_widget[name=summary]:contains('Country is Germany')",
                },
            ],
            "Country is Germany",
            3
        ),
        ...addCondition(
            "consent",
            choose("purpose", "Offers"),
            "May be written to: Offers by Email",
            2
        ),
        ...addCondition(
            "segment",
            [
                ...choose("membership", "Is not in"),
                {
                    trigger: ".modal .o_field_widget[name=other_segment_id] input",
                    run: "edit Tour guests",
                },
                {
                    trigger: ".o-autocomplete--dropdown-item:contains('Tour guests')",
                    run: "click",
                },
            ],
            "Not in segment “Tour guests”",
            1
        ),
        {
            content: "One person is left",
            trigger: ".o_marketing_preview_sample:contains('Greta Tour')",
        },
        {
            content: "She can be written to about offers",
            trigger: ".o_marketing_reach[data-channel=email]:contains('100 %')",
        },
        {
            content: "About news she never said anything",
            trigger: "#o_marketing_purpose",
            run: "select newsletter",
        },
        {
            trigger:
                ".o_marketing_reach[data-channel=email]:contains('0 %'):contains('Never agreed to this')",
        },
        {
            content: "Any of the conditions is enough: more people",
            trigger: ".o_field_widget[name=logic] input",
            run: "click",
        },
        {
            trigger: ".o_select_menu_item:contains('Any of them')",
            run: "click",
        },
        {
            trigger: `${PREVIEW}:not(:has(.o_marketing_preview_size:contains(/^1$/)))`,
        },
        {
            trigger: ".o_marketing_connective:contains('or')",
        },
        {
            trigger: ".o_field_widget[name=logic] input",
            run: "click",
        },
        {
            trigger: ".o_select_menu_item:contains('All of them')",
            run: "click",
        },
        {
            trigger: `${PREVIEW} .o_marketing_preview_size:contains(/^1$/)`,
        },
        {
            content: "Take one away again",
            trigger:
                ".o_marketing_condition:contains('Not in segment') .o_marketing_condition_delete",
            run: "click",
        },
        {
            trigger: `${PREVIEW} .o_marketing_preview_size:contains(/^2$/)`,
        },
        {
            content: "Save",
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            content: "Look who is in it",
            trigger: "button[name=action_refresh]",
            run: "click",
        },
        {
            trigger: "button[name=action_view_members]:contains('2')",
            run: "click",
        },
        {
            trigger:
                ".o_list_view .o_data_row:contains('Greta Tour'):contains('Conditions')",
        },
        {
            content: "Members of a dynamic segment are not taken out by hand",
            trigger: ".o_data_row:contains('Greta Tour') .o_list_record_selector input",
            run: "click",
        },
        {
            trigger: ".o_control_panel:not(:has(button[name=action_remove]))",
        },
    ],
});

const CRITERIA = JSON.stringify({
    conditions: [{field: "city", operator: "=", value: "Tourtown"}],
});

/** Write into a code editor and leave it. */
function typeCode(element, text) {
    const editor = window.ace.edit(element);
    editor.focus();
    editor.setValue(text);
    editor.blur();
}

registry.category("web_tour.tours").add("marketing_automation_segment_group", {
    steps: () => [
        {
            content: "A group of conditions in a new segment",
            trigger:
                ".o_field_widget[name=name] input, .o_field_widget[name=name] textarea",
            run: "edit Tour group",
        },
        {
            trigger: ".o_marketing_condition_add",
            run: "click",
        },
        {
            trigger: ".o_marketing_condition_menu [data-kind=group]",
            run: "click",
        },
        ...choose("logic", "Any of them"),
        {
            content: "A condition within the group",
            trigger: ".modal .o_marketing_condition_add",
            run: "click",
        },
        {
            trigger: ".o_marketing_condition_menu [data-kind=behaviour]",
            run: "click",
        },
        {
            trigger: ".modal:contains('What they did') .o_form_button_save",
            run: "click",
        },
        {
            trigger:
                ".modal:not(:contains('What they did')) .o_marketing_condition_add",
            run: "click",
        },
        {
            trigger: ".o_marketing_condition_menu [data-kind=rfm]",
            run: "click",
        },
        {
            content: "The groups say what they mean",
            trigger:
                ".modal .o_marketing_rfm label:contains('Lost'):contains('longest ago') input",
            run: "click",
        },
        {
            trigger: ".modal:contains('How good a customer') .o_form_button_save",
            run: "click",
        },
        {
            trigger:
                ".modal:not(:contains('How good a customer')) .o_marketing_condition:contains('Lost')",
        },
        {
            trigger: SAVE_CONDITION,
            run: "click",
        },
        {
            content: "The group is one sentence",
            trigger:
                "body:not(:has(.modal)) .o_marketing_condition:contains('at least once or RFM group: Lost')",
        },
        {
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            trigger: "button[name=action_refresh]",
        },
        {
            content: "The same as JSON",
            trigger: ".o_notebook .nav-link:contains('JSON')",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=criteria] .ace_editor",
            run() {
                typeCode(this.anchor, `{"conditions": [{"fild": 1}]}`);
            },
        },
        {
            content: "What is wrong is said on leaving the editor",
            trigger: ".o_notebook .nav-link:contains('Note')",
            run: "click",
        },
        {
            trigger: ".o_notebook .nav-link:contains('JSON')",
            run: "click",
        },
        {
            trigger: ".alert-danger:contains('Condition 1: ')",
        },
        {
            trigger: ".o_field_widget[name=criteria] .ace_editor",
            run() {
                typeCode(this.anchor, CRITERIA);
            },
        },
        {
            trigger: ".o_notebook .nav-link:contains('Note')",
            run: "click",
        },
        {
            content: "What is right becomes conditions",
            trigger: ".o_marketing_condition:contains('City is Tourtown')",
        },
        {
            trigger: ".o_form_view:not(:has(.o_marketing_condition:eq(1)))",
        },
        {
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            trigger: ".o_form_saved",
        },
    ],
});

registry.category("web_tour.tours").add("marketing_automation_segment_by_hand", {
    steps: () => [
        {
            content: "Put somebody into a segment that is kept by hand",
            trigger: "button[name=action_add_contacts]",
            run: "click",
        },
        {
            trigger:
                ".modal .o_field_x2many_list_row_add a:contains('Choose contacts')",
            run: "click",
        },
        {
            trigger: ".modal .o_searchview_input",
            run: "edit Greta Tour",
        },
        {
            trigger: ".modal .o_searchview_input",
            run: "press Enter",
        },
        {
            trigger:
                ".modal .o_list_view:not(:has(.o_data_row:contains('Jonas Tour'))) .o_data_row:contains('Greta Tour') .o_list_record_selector input",
            run: "click",
        },
        {
            trigger: ".modal .o_select_button",
            run: "click",
        },
        {
            trigger: ".modal button[name=action_add]",
            run: "click",
        },
        {
            trigger: ".o_notification:contains('Added to “Tour guests”: 1.')",
        },
        {
            content: "The size follows",
            trigger: `body:not(:has(.modal)) ${PREVIEW} .o_marketing_preview_size:contains(/^2$/)`,
        },
        {
            content: "Import a file",
            trigger: "button[name=action_import]",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=file] input[type=file]:not(:visible)",
            run() {
                const file = new File(
                    ["E-Mail;Name\nnew.tour@example.com;New Tour\nnonsense;X\n"],
                    "tour.csv",
                    {type: "text/csv"}
                );
                const transfer = new DataTransfer();
                transfer.items.add(file);
                this.anchor.files = transfer.files;
                this.anchor.dispatchEvent(new Event("change", {bubbles: true}));
            },
        },
        {
            content: "What was found in it shows",
            trigger:
                ".modal .o_marketing_import_preview:contains('column “E-Mail”'):contains('New Tour')",
        },
        {
            trigger: ".modal button[name=action_import]",
            run: "click",
        },
        {
            content: "The report",
            trigger:
                ".modal tr:contains('3'):contains('nonsense'):contains('Not an email address')",
        },
        {
            trigger: ".modal .o_marketing_import_figure_created:contains('1')",
        },
        {
            trigger: ".modal button[name=action_view_members]",
            run: "click",
        },
        {
            content: "Take somebody out",
            trigger: ".o_data_row:contains('New Tour') .o_list_record_selector input",
            run: "click",
        },
        {
            trigger: "button[name=action_remove]",
            run: "click",
        },
        {
            trigger:
                ".o_list_view:has(.o_data_row:contains('Greta Tour')):not(:has(.o_data_row:contains('New Tour')))",
        },
        {
            content: "From the member to the contact",
            trigger: ".o_data_row:contains('Greta Tour') td[name=partner_id]",
            run: "click",
        },
        {
            content:
                "Where there are many buttons, the last ones stand below the others",
            trigger: ".o_form_view .o-form-buttonbox",
            run() {
                this.anchor.querySelector(".o_button_more")?.click();
            },
        },
        {
            content: "The contact shows that she is in a segment",
            trigger: "button[name=action_view_marketing_segments]:contains('1')",
            run: "click",
        },
        {
            trigger: ".o_data_row:contains('Tour guests'):contains('By hand')",
        },
    ],
});
