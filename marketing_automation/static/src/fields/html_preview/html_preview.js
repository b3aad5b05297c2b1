import {Component, useRef, useState} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {standardFieldProps} from "@web/views/fields/standard_field_props";

/**
 * Shows the HTML of an email the way a mail program would.
 *
 * The email lives in a frame of its own: its styles cannot touch the backend, and
 * without `allow-scripts` nothing in it runs. `allow-same-origin` only lets us measure
 * its height.
 */
export class HtmlPreviewField extends Component {
    static template = "marketing_automation.HtmlPreviewField";
    static props = {...standardFieldProps};

    setup() {
        this.frame = useRef("frame");
        this.state = useState({width: "desktop", height: 400});
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

    onFrameLoad() {
        const content = this.frame.el?.contentDocument;
        if (!content?.body) {
            return;
        }
        // A click would replace the email by the shop.
        content.addEventListener("click", (ev) => ev.preventDefault());
        this.fitHeight();
        // Pictures arrive later, and a narrower frame breaks lines elsewhere.
        new ResizeObserver(() => this.fitHeight()).observe(content.body);
    }

    fitHeight() {
        const body = this.frame.el?.contentDocument?.body;
        if (body) {
            this.state.height = Math.max(200, body.scrollHeight);
        }
    }
}

export const htmlPreviewField = {
    component: HtmlPreviewField,
    displayName: _t("Email preview"),
    supportedTypes: ["html", "text"],
};

registry.category("fields").add("marketing_html_preview", htmlPreviewField);
