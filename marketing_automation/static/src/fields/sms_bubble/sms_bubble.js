import {Component} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {standardFieldProps} from "@web/views/fields/standard_field_props";
import {analyse} from "../sms_body/sms_length";

/** A text message as a telephone shows it, and how many it is billed as. */
export class SmsBubbleField extends Component {
    static template = "marketing_automation.SmsBubbleField";
    static props = {...standardFieldProps};

    get text() {
        return this.props.record.data[this.props.name] || "";
    }

    get caption() {
        const {segments, encoding} = analyse(this.text);
        return segments === 1
            ? _t("1 message, %s", encoding)
            : _t("%(count)s messages, %(encoding)s", {count: segments, encoding});
    }
}

export const smsBubbleField = {
    component: SmsBubbleField,
    displayName: _t("Text message preview"),
    supportedTypes: ["text", "char"],
};

registry.category("fields").add("marketing_sms_bubble", smsBubbleField);
