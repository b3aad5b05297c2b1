import {Interaction} from "@web/public/interaction";
import {registry} from "@web/core/registry";
import {rpc} from "@web/core/network/rpc";

const PAUSE = 1000;

/**
 * Keeps what a guest types at checkout with their cart, as the notice at the field says:
 * an address when it is complete, and nothing when the field is emptied.
 */
export class TypedContact extends Interaction {
    static selector = "form[name='address_form']:has(.o_typed_contact_notice)";
    dynamicContent = {
        "input[name='email'], input[name='phone']": {
            "t-on-input.noUpdate": this.debounced(this.onTyped, PAUSE),
            "t-on-change.noUpdate": this.onTyped,
        },
    };

    setup() {
        this.kept = {
            email: this.getValue("email"),
            phone: this.getValue("phone"),
        };
    }

    /**
     * @param {String} name of the field
     * @returns {String} what stands in it
     */
    getValue(name) {
        return this.el.elements[name]?.value.trim() || "";
    }

    /**
     * @param {Event} ev
     */
    onTyped(ev) {
        const {name, validity} = ev.target;
        const value = this.getValue(name);
        // An empty field may be required, and is forgotten all the same.
        if (value === this.kept[name] || (value && !validity.valid)) {
            return;
        }
        this.kept[name] = value;
        const params = {[name]: value};
        if (name === "phone") {
            params.country_id = this.el.elements.country_id?.value;
        }
        // Leaving the page meanwhile is no error.
        rpc("/shop/cart/contact", params, {silent: true}).catch(() => {});
    }
}

registry
    .category("public.interactions")
    .add("marketing_automation.typed_contact", TypedContact);
