import {browser} from "@web/core/browser/browser";
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
