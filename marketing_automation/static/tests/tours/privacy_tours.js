import {browser} from "@web/core/browser/browser";
import {choose} from "./tour_helper";
import {registry} from "@web/core/registry";

const DIALOG = ".modal:contains('Privacy Request')";

/** Enter an address and leave the field. */
function enterAddress(address) {
    return {
        trigger: `${DIALOG} .o_field_widget[name=address] input`,
        run: `edit ${address} && press Tab`,
    };
}

registry.category("web_tour.tours").add("marketing_automation_privacy_request", {
    steps: () => [
        {
            content: "A request for privacy, from the menu",
            trigger: ".o_menu_sections [data-menu-xmlid$=menu_marketing_audience]",
            run: "click",
        },
        {
            trigger: ".o-dropdown--menu .dropdown-item:contains('Privacy Request')",
            run: "click",
        },
        {
            content: "There is nothing to do without an address",
            trigger: `${DIALOG} .modal-footer:not(:has(button[name=action_forget]))`,
        },
        enterAddress("Tess"),
        {
            content: "What cannot be an address is said",
            trigger: `${DIALOG} .alert-warning:contains('neither')`,
        },
        {
            content: "There is nothing to do with it, either",
            trigger: `${DIALOG} .modal-footer:not(:has(button[name=action_forget])):not(:has(button[name=action_export]))`,
        },
        enterAddress("tess.tour@example.com"),
        {
            content: "What is stored about them shows, and what becomes of it",
            trigger: `${DIALOG} .o_field_widget[name=summary] tr:contains('Messages'):contains('1')`,
        },
        {
            trigger: `${DIALOG} .o_field_widget[name=summary] tr:contains('Abandoned carts'):contains('1')`,
        },
        {
            trigger: `${DIALOG} button[name=action_export]`,
            run() {
                // Nothing is downloaded here: only where it would come from matters.
                browser.open = (url) => {
                    document.body.dataset.exported = url;
                    return window;
                };
            },
        },
        {
            trigger: `${DIALOG} button[name=action_export]`,
            run: "click",
        },
        {
            content: "The export is a file",
            trigger: "body[data-exported^='/marketing/privacy/export/']",
            async run() {
                const answer = await fetch(this.anchor.dataset.exported);
                const kind = answer.headers.get("Content-Type");
                if (!answer.ok || kind !== "application/zip") {
                    throw new Error(`no export: ${answer.status} ${kind}`);
                }
            },
        },
        {
            content: "Forget them",
            trigger: `${DIALOG} button[name=action_forget]:enabled`,
            run: "click",
        },
        {
            content: "What this does is said before",
            trigger:
                ".modal:contains('Forget this person?'):contains('nobody can bring it back') .btn-primary:contains('Forget for good')",
            run: "click",
        },
        {
            content: "Done",
            trigger: `${DIALOG} .o_field_widget[name=result] .alert-success:contains('Forgotten')`,
        },
        {
            content: "What was erased shows, without a word about whom",
            trigger: `${DIALOG}:not(:contains('tess')) .o_field_widget[name=result] tr:contains('Messages'):contains('1')`,
        },
        {
            trigger: `${DIALOG} .modal-footer:not(:has(button[name=action_forget])) button:contains('Close')`,
            run: "click",
        },
        {
            trigger: "body:not(:has(.modal))",
        },
    ],
});

registry.category("web_tour.tours").add("marketing_automation_record_consent", {
    steps: () => [
        {
            content: "A customer called: write down what they said",
            trigger: ".o_form_view .o_cp_action_menus button:has(.fa-cog)",
            run: "click",
        },
        {
            trigger: ".o-dropdown--menu .o_menu_item:contains('Record Consent')",
            run: "click",
        },
        {
            content: "It is about this contact",
            trigger:
                ".modal .o_field_widget[name=partner_ids] .o_tag:contains('Tess Tour')",
        },
        {
            trigger:
                ".modal .o_field_widget[name=channel] .o_radio_item:contains('SMS') input",
            run: "click",
        },
        ...choose("purpose", "Newsletter"),
        {
            trigger:
                ".modal .o_field_widget[name=state] .o_radio_item:contains('Given') input",
            run: "click",
        },
        {
            content: "Without a proof it is not taken",
            trigger: ".modal .o_required_modifier[name=text]",
        },
        {
            trigger: ".modal button[name=action_record]",
            run: "click",
        },
        {
            trigger: ".modal .o_field_invalid[name=text]",
        },
        {
            trigger: ".modal .o_field_widget[name=text] textarea",
            run: "edit Called on Monday",
        },
        {
            trigger: ".modal button[name=action_record]",
            run: "click",
        },
        {
            content:
                "Where there are many buttons, the last ones stand below the others",
            trigger: "body:not(:has(.modal)) .o_form_view .o-form-buttonbox",
            run() {
                this.anchor.querySelector(".o_button_more")?.click();
            },
        },
        {
            content: "The contact shows that something is recorded",
            trigger: "button[name=action_view_marketing_consent]:contains('1')",
            run: "click",
        },
        {
            trigger: ".o_data_row:contains('Newsletter'):contains('Given')",
        },
    ],
});
