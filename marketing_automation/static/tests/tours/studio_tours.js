import {registry} from "@web/core/registry";

const PREVIEW = ".o_marketing_template_preview[data-state=ready]";
const CODE = ".o_field_widget[name=body_html] .ace_editor";

function getCode() {
    return window.ace.edit(document.querySelector(CODE));
}

registry.category("web_tour.tours").add("marketing_automation_studio", {
    steps: () => [
        {
            content: "The email is shown with sample values",
            trigger: `${PREVIEW} .o_marketing_preview_subject:contains('News for Anna')`,
        },
        {
            trigger: `${PREVIEW} iframe`,
        },
        {
            content: "There is some advice",
            trigger: `${PREVIEW} [data-check=no_preheader][data-level=advice]`,
        },
        {
            content: "The preview follows while one types, before the field is left",
            trigger: ".o_field_widget[name=subject] input",
            run(helpers) {
                helpers.anchor.focus();
                helpers.anchor.value = "Zita or {{ customer.first_name }}";
                helpers.anchor.dispatchEvent(new InputEvent("input", {bubbles: true}));
            },
        },
        {
            trigger: `${PREVIEW} .o_marketing_preview_subject:contains('Zita or Anna')`,
        },
        {
            content: "Choose a customer",
            trigger: `${PREVIEW} #marketing_preview_recipient`,
            run: "edit zita tour",
        },
        {
            trigger: ".o-autocomplete--dropdown-item:contains('Zita Tour') a",
            run: "click",
        },
        {
            trigger: `${PREVIEW} .o_marketing_preview_subject:contains('Zita or Zita')`,
        },
        {
            content: "As on a telephone",
            trigger: `${PREVIEW} button[data-choice=phone]`,
            run: "click",
        },
        {
            trigger: `${PREVIEW} iframe.o_marketing_html_preview_phone`,
        },
        {
            content: "As plain text",
            trigger: `${PREVIEW} button[data-choice=text]`,
            run: "click",
        },
        {
            trigger: `${PREVIEW} .o_marketing_preview_text:contains('Hello Zita')`,
        },
        {
            content: "Make a mistake",
            trigger: CODE,
            run() {
                const code = getCode();
                code.focus();
                code.navigateFileEnd();
                code.insert("\n\n{{ customer.nmae }}");
            },
        },
        {
            content: "It is marked at its line",
            trigger: `${CODE} .ace_gutter-cell.ace_error:contains('3')`,
        },
        {
            content: "One click leads there",
            trigger: `${PREVIEW} .o_marketing_preview_errors button:contains('line 3'):contains('customer.nmae')`,
            run: "click",
        },
        {
            trigger: `${CODE}.ace_focus .ace_gutter-active-line:contains('3')`,
            run() {
                const code = getCode();
                code.undo();
            },
        },
        {
            content: "The preview comes back",
            trigger: `${PREVIEW} .o_marketing_preview_text:contains('Hello Zita')`,
        },
        {
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            trigger: "body:not(:has(.o_form_button_save:visible))",
        },
    ],
});

registry.category("web_tour.tours").add("marketing_automation_studio_insert", {
    steps: () => [
        {
            content: "Put the cursor somewhere",
            trigger: CODE,
            run() {
                getCode().focus();
                getCode().navigateFileEnd();
            },
        },
        {
            trigger: ".o_widget_marketing_template_insert button",
            run: "click",
        },
        {
            content: "Look for a merge tag by what it means",
            trigger: ".modal #marketing_insert_search",
            run: "edit full name",
        },
        {
            content: "Its sample is shown",
            trigger:
                ".modal [role=option][aria-selected=true][data-entry='tag:customer.name']:contains('Anna Miller')",
        },
        {
            content: "The keyboard is enough",
            trigger: ".modal #marketing_insert_search",
            run: "press Enter",
        },
        {
            trigger: `body:not(:has(.modal)) ${CODE}.ace_focus`,
            run() {
                if (!getCode().getValue().endsWith("{{ customer.name }}")) {
                    throw new Error("The merge tag is not at the cursor");
                }
            },
        },
        {
            content: "A block asks what it needs",
            trigger: ".o_widget_marketing_template_insert button",
            run: "click",
        },
        {
            trigger: ".modal [role=option][data-entry=button]",
            run: "click",
        },
        {
            content: "Something is missing",
            trigger: ".modal .modal-footer .btn-primary",
            run: "click",
        },
        {
            trigger: ".modal .alert-danger:contains('Label is missing')",
        },
        {
            trigger: ".modal #marketing_insert_label",
            run: "edit To the shop",
        },
        {
            trigger: ".modal #marketing_insert_target",
            run: "select shop.url",
        },
        {
            trigger: ".modal .modal-footer .btn-primary",
            run: "click",
        },
        {
            content: "It is in the preview",
            trigger: `body:not(:has(.modal)) ${PREVIEW} button[data-choice=text]`,
            run: "click",
        },
        {
            trigger: `${PREVIEW} .o_marketing_preview_text:contains('To the shop: http')`,
        },
        {
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            trigger: "body:not(:has(.o_form_button_save:visible))",
        },
    ],
});
