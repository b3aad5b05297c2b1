import {Interaction} from "@web/public/interaction";
import {registry} from "@web/core/registry";

/** Whoever ticks a box at checkout and goes on to the payment means it, too. */
export class ConsentRequest extends Interaction {
    static selector = "#shop_checkout form[action='/shop/consent']";
    dynamicSelectors = {
        ...this.dynamicSelectors,
        _goOn: () => document.querySelectorAll("a[name='website_sale_main_button']"),
    };
    dynamicContent = {
        _goOn: {"t-on-click": this.onGoOn},
    };

    /**
     * First the answer, then the next page: both at once would overwrite each other's
     * session.
     *
     * @param {MouseEvent} ev
     */
    async onGoOn(ev) {
        if (ev.defaultPrevented || !this.el.querySelector("input:checked")) {
            return;
        }
        ev.preventDefault();
        const {href} = ev.currentTarget;
        // An order is not held up by this: it waits some seconds at most.
        await fetch(this.el.action, {
            method: "POST",
            body: new FormData(this.el),
            redirect: "manual",
            signal: AbortSignal.timeout(3000),
        }).catch(() => {});
        window.location.assign(href);
    }
}

registry
    .category("public.interactions")
    .add("marketing_automation.consent_request", ConsentRequest);
