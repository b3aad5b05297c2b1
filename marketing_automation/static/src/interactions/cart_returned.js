import {Interaction} from "@web/public/interaction";
import {registry} from "@web/core/registry";
import {rpc} from "@web/core/network/rpc";

/**
 * Tells the shop that a person, not a link scanner, looks at a restored cart.
 *
 * Scrolling counts through what causes it (wheel, touch, key): browsers also scroll by
 * themselves, for example back to where a reloaded page was left.
 */
export class CartReturned extends Interaction {
    static selector = ".o_cart_recovery_notice";
    dynamicContent = {
        _document: {
            "t-on-pointerdown.noUpdate": this.onMovement,
            "t-on-pointermove.noUpdate": this.onMovement,
            "t-on-touchstart.noUpdate": this.onMovement,
            "t-on-wheel.noUpdate": this.onMovement,
            "t-on-keydown.noUpdate": this.onMovement,
        },
    };

    onMovement() {
        // Interactions of the cart restart with each change of a quantity.
        if (this.el.dataset.returned) {
            return;
        }
        this.el.dataset.returned = "1";
        // Leaving the page meanwhile is no error.
        rpc("/shop/cart/returned", {}, {silent: true}).catch(() => {});
    }
}

registry
    .category("public.interactions")
    .add("marketing_automation.cart_returned", CartReturned);
