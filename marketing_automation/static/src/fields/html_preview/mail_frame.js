import {Component, useRef, useState} from "@odoo/owl";

/**
 * An email the way a mail program would show it.
 *
 * It lives in a frame of its own: its styles cannot touch the backend, and without
 * `allow-scripts` nothing in it runs. `allow-same-origin` only lets us measure its
 * height.
 */
export class MailFrame extends Component {
    static template = "marketing_automation.MailFrame";
    static props = {
        html: String,
        /** "desktop" or "phone" */
        width: String,
    };

    setup() {
        this.frame = useRef("frame");
        this.state = useState({height: 400});
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
