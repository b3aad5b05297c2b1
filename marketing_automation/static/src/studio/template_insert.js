import {Component, useExternalListener} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {useService} from "@web/core/utils/hooks";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";
import {InsertDialog} from "./insert_dialog";
import {getStudio, insertIntoDesign, insertText} from "./studio";
import {studioQuestion} from "./studio_question";

// Sources that are one line: no blocks there.
const LINES = ["subject", "preheader"];

/** The button that opens the picker of merge tags and blocks. */
export class TemplateInsert extends Component {
    static template = "marketing_automation.TemplateInsert";
    static props = {...standardWidgetProps};

    setup() {
        this.orm = useService("orm");
        this.dialog = useService("dialog");
        this.notification = useService("notification");
        // A frame that takes the cursor tells nobody but the window that lost it.
        useExternalListener(window, "blur", () => {
            if (document.activeElement?.closest(".o_field_mass_mailing_html")) {
                getStudio(this.props.record).target = "body_design";
            }
        });
    }

    /** The field the cursor was in last, or else the one with the text. */
    get target() {
        const {data} = this.props.record;
        const {target} = getStudio(this.props.record);
        if (data.channel === "sms") {
            return "body_sms";
        }
        if (data.editor === "designer") {
            return LINES.includes(target) || target === "body_text"
                ? target
                : "body_design";
        }
        return target === "body_design" ? "body_html" : target || "body_html";
    }

    async open() {
        const {record} = this.props;
        const offer = await this.orm.call("marketing.template", "get_studio", [
            studioQuestion(record, {}),
        ]);
        const {target} = this;
        this.dialog.add(InsertDialog, {
            offer,
            isLine: LINES.includes(target),
            place: record.fields[target].string,
            insert: (text) => this.insert(target, text),
        });
    }

    insert(target, text) {
        const inserted =
            target === "body_design"
                ? insertIntoDesign(text)
                : insertText(this.props.record, text, target);
        if (!inserted) {
            this.notification.add(
                _t("Click where it should go first, then insert it."),
                {type: "warning"}
            );
        }
    }
}

registry.category("view_widgets").add("marketing_template_insert", {
    component: TemplateInsert,
    fieldDependencies: [
        {name: "channel", type: "selection"},
        {name: "context", type: "selection"},
    ],
});
