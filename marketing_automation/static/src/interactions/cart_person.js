import {Interaction} from "@web/public/interaction";
import {cookie} from "@web/core/browser/cookie";
import {registry} from "@web/core/registry";

const NAME = "cart_person";
const DAY = 24 * 60 * 60;
const SIGNS = ["pointerdown", "pointermove", "touchstart", "wheel", "keydown"];

/**
 * Remembers for a day that a person, not a program, uses this browser. Nothing is sent:
 * whoever adds a product sends the cookie along, also with their first click, which
 * comes before the request. What a script simulates is not trusted.
 */
export class CartPerson extends Interaction {
    static selector = "#wrapwrap";

    start() {
        if (cookie.get(NAME)) {
            return;
        }
        const removers = SIGNS.map((sign) =>
            this.addListener(
                document,
                `${sign}.capture.noUpdate`,
                (ev) => {
                    if (ev.isTrusted) {
                        cookie.set(NAME, "1", DAY);
                        removers.forEach((remove) => remove());
                    }
                },
                {passive: true}
            )
        );
    }
}

registry
    .category("public.interactions")
    .add("marketing_automation.cart_person", CartPerson);
