import {Component} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {standardFieldProps} from "@web/views/fields/standard_field_props";

const ICONS = {email: "fa-envelope-o", sms: "fa-mobile fa-lg"};

/** The way a message takes, as an icon: lists have no room for another word. */
export class ChannelIconField extends Component {
    static template = "marketing_automation.ChannelIconField";
    static props = {...standardFieldProps};

    get value() {
        return this.props.record.data[this.props.name];
    }

    get icon() {
        return ICONS[this.value] || "fa-paper-plane-o";
    }

    get label() {
        const {selection} = this.props.record.fields[this.props.name];
        return Object.fromEntries(selection)[this.value];
    }
}

export const channelIconField = {
    component: ChannelIconField,
    displayName: _t("Channel icon"),
    supportedTypes: ["selection"],
    label: false,
};

registry.category("fields").add("marketing_channel_icon", channelIconField);
