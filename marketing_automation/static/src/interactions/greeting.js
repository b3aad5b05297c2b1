import {Interaction} from "@web/public/interaction";
import {registry} from "@web/core/registry";

/** Closes the greeting of a returning customer where it is, without loading a page. */
export class Greeting extends Interaction {
    static selector = ".o_marketing_greeting, .o_cart_recovery_notice";
    dynamicContent = {
        ".o_marketing_greeting_close": {
            "t-on-submit.prevent": this.onClose,
        },
    };

    async onClose(ev) {
        const form = ev.currentTarget;
        // The page it would lead to is this one; leaving meanwhile is no error. Gone
        // when the shop knows: the next page, asked for at once, would bring it back.
        await this.waitFor(
            fetch(form.action, {
                method: "POST",
                body: new FormData(form),
                redirect: "manual",
                keepalive: true,
            }).catch(() => {})
        );
        // Whoever came with the keyboard goes on in the page, not at its top.
        const main = this.el.closest("main") || document.body;
        main.setAttribute("tabindex", "-1");
        this.el.remove();
        main.focus({preventScroll: true});
    }
}

registry.category("public.interactions").add("marketing_automation.greeting", Greeting);
