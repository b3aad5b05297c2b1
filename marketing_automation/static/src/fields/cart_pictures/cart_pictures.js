import {Component} from "@odoo/owl";
import {registry} from "@web/core/registry";
import {standardFieldProps} from "@web/views/fields/standard_field_props";

const FALLBACK = "/web/static/img/placeholder.png";

/** The pictures of the first products of a cart, and how many more there are. */
export class CartPicturesField extends Component {
    static template = "marketing_automation.CartPicturesField";
    static props = {...standardFieldProps, limit: {type: Number, optional: true}};
    static defaultProps = {limit: 4};

    get lines() {
        return this.props.record.data[this.props.name] || [];
    }

    get pictures() {
        return this.lines.slice(0, this.props.limit).map((line, index) => ({
            id: index,
            url: line.image_url || FALLBACK,
            name: line.name,
        }));
    }

    get more() {
        return this.lines.length - this.pictures.length;
    }

    onError(ev) {
        if (!ev.target.src.endsWith(FALLBACK)) {
            ev.target.src = FALLBACK;
        }
    }
}

export const cartPicturesField = {
    component: CartPicturesField,
    supportedTypes: ["json"],
    extractProps: ({options}) => ({limit: options.limit}),
};

registry.category("fields").add("marketing_cart_pictures", cartPicturesField);
