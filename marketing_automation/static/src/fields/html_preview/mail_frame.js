import {Component, useEffect, useRef, useState} from "@odoo/owl";

// What a mail program on a desk leaves for an email, and a telephone (pixels).
const WIDTHS = {desktop: 680, phone: 360};

/**
 * An email the way a mail program would show it.
 *
 * It lives in a frame of its own: its styles cannot touch the backend, and without
 * `allow-scripts` nothing in it runs. `allow-same-origin` only lets us measure its
 * height. Where there is too little room, it is made smaller as a whole.
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
        this.stage = useRef("stage");
        this.state = useState({height: 400, room: 0});
        useEffect(
            (stage) => {
                const observer = new ResizeObserver(() => {
                    this.state.room = stage.clientWidth;
                });
                observer.observe(stage);
                return () => observer.disconnect();
            },
            () => [this.stage.el]
        );
    }

    get width() {
        // A wide screen shows all there is.
        return this.props.width === "desktop"
            ? Math.max(WIDTHS.desktop, this.state.room)
            : WIDTHS.phone;
    }

    get scale() {
        return this.state.room ? Math.min(1, this.state.room / this.width) : 1;
    }

    get frameStyle() {
        return (
            `width: ${this.width}px; height: ${this.state.height}px; ` +
            `transform: scale(${this.scale})`
        );
    }

    get holderStyle() {
        return (
            `width: ${this.width * this.scale}px; ` +
            `height: ${this.state.height * this.scale}px`
        );
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
