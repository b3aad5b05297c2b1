import {Component, useState} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {standardFieldProps} from "@web/views/fields/standard_field_props";
import {MailFrame} from "./mail_frame";

/** Shows the HTML of an email the way a mail program would. */
export class HtmlPreviewField extends Component {
    static template = "marketing_automation.HtmlPreviewField";
    static components = {MailFrame};
    static props = {...standardFieldProps};

    setup() {
        this.state = useState({width: "desktop"});
    }

    get html() {
        return String(this.props.record.data[this.props.name] || "");
    }

    get widths() {
        return [
            {key: "desktop", label: _t("Desktop"), icon: "fa-desktop"},
            {key: "phone", label: _t("Phone"), icon: "fa-mobile"},
        ];
    }

    setWidth(key) {
        this.state.width = key;
    }
}

export const htmlPreviewField = {
    component: HtmlPreviewField,
    displayName: _t("Email preview"),
    supportedTypes: ["html", "text"],
};

registry.category("fields").add("marketing_html_preview", htmlPreviewField);
