import {Component, onWillUnmount, useEffect, useState} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {KeepLast} from "@web/core/utils/concurrency";
import {useService} from "@web/core/utils/hooks";
import {useDebounced} from "@web/core/utils/timing";
import {useRecordObserver} from "@web/model/relational_model/utils";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";
import {MailFrame} from "../fields/html_preview/mail_frame";
import {analyse} from "../fields/sms_body/sms_length";
import {CheckList} from "./check_list";
import {RecipientPicker} from "./recipient_picker";
import {reveal, useStudio} from "./studio";
import {studioQuestion} from "./studio_question";

// What is typed within this time goes into the same question (milliseconds).
const PATIENCE = 400;

/** The message of a template as it stands on the screen, and what is to be said of it. */
export class TemplatePreview extends Component {
    static template = "marketing_automation.TemplatePreview";
    static components = {CheckList, MailFrame, RecipientPicker};
    static props = {...standardWidgetProps};

    setup() {
        this.orm = useService("orm");
        this.studio = useStudio(this.props.record);
        this.keepLast = new KeepLast();
        this.state = useState({
            message: null,
            loading: true,
            failed: false,
            languages: [],
            recipients: "",
            recipient: null,
            lang: "",
            part: "html",
            // On a telephone, a desk is too small to be read.
            width: this.env.isSmall ? "phone" : "desktop",
        });
        const ask = useDebounced(() => this.load(), PATIENCE);
        const follow = (record) => {
            const question = JSON.stringify(this.question(record));
            if (question !== this.asked) {
                this.asked = question;
                this.state.loading = true;
                ask();
            }
        };
        useRecordObserver((record) => {
            this.followKind(record);
            follow(record);
        });
        useEffect(
            () => follow(this.props.record),
            () => [
                JSON.stringify(this.studio.drafts),
                this.state.lang,
                this.state.recipient?.id,
            ]
        );
        onWillUnmount(() => (this.studio.errors = []));
    }

    // === WHAT IS ASKED ===

    question(record) {
        return {
            ...studioQuestion(record, this.studio.drafts),
            lang: this.state.lang,
            record_id: this.state.recipient?.id,
        };
    }

    /** Languages and recipients change with the kind of template alone. */
    async followKind(record) {
        const {channel, context, company_id: company} = record.data;
        const kind = JSON.stringify([record.resId, channel, context, company?.id]);
        if (kind === this.kind) {
            return;
        }
        this.kind = kind;
        this.state.recipient = null;
        const studio = await this.call("get_studio", [studioQuestion(record, {})]);
        if (kind === this.kind) {
            this.state.languages = studio.languages;
            this.state.recipients = studio.recipients;
        }
    }

    call(method, args) {
        return this.orm.silent.call("marketing.template", method, args);
    }

    async load() {
        const answer = this.call("get_preview", [JSON.parse(this.asked)]);
        try {
            this.state.message = await this.keepLast.add(answer);
            this.state.failed = false;
        } catch (error) {
            this.state.failed = true;
            throw error;
        } finally {
            this.state.loading = false;
        }
        this.studio.errors = this.state.message.errors;
    }

    findRecipients(search) {
        const question = studioQuestion(this.props.record, {});
        return this.call("find_recipients", [question, search]);
    }

    // === WHAT IS SHOWN ===

    get isSms() {
        return this.props.record.data.channel === "sms";
    }

    get parts() {
        return [
            {key: "html", label: _t("Email"), icon: "fa-envelope-o"},
            {key: "text", label: _t("Plain Text"), icon: "fa-align-left"},
        ];
    }

    get widths() {
        return [
            {key: "desktop", label: _t("Desktop"), icon: "fa-desktop"},
            {key: "phone", label: _t("Phone"), icon: "fa-mobile"},
        ];
    }

    get groupLabels() {
        return {part: _t("Part of the email"), width: _t("Width")};
    }

    /** Who is written to, in a word: for the label of the picker. */
    get recipientLabel() {
        return {
            "abandoned.cart": _t("Cart"),
            "res.partner": _t("Customer"),
            "sale.order": _t("Order"),
            "product.product": _t("Product"),
        }[this.state.recipients];
    }

    get smsCaption() {
        const {segments, encoding} = analyse(this.state.message.text);
        return segments === 1
            ? _t("1 message, %s", encoding)
            : _t("%(count)s messages, %(encoding)s", {count: segments, encoding});
    }

    /** Whether there is a line to go to: a design has none. */
    canGoTo(error) {
        const {editor} = this.props.record.data;
        return error.field !== "body_html" || editor !== "designer";
    }

    goTo(error) {
        reveal(this.props.record, error.field, error.line);
    }
}

export const templatePreview = {
    component: TemplatePreview,
    fieldDependencies: [
        {name: "channel", type: "selection"},
        {name: "context", type: "selection"},
        {name: "category", type: "selection"},
    ],
};

registry.category("view_widgets").add("marketing_template_preview", templatePreview);
