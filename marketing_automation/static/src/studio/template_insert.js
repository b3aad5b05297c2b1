import {Component} from "@odoo/owl";
import {registry} from "@web/core/registry";
import {useService} from "@web/core/utils/hooks";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";
import {InsertDialog} from "./insert_dialog";
import {getStudio, insertText} from "./studio";
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
    }

    async open() {
        const {record} = this.props;
        const offer = await this.orm.call("marketing.template", "get_studio", [
            studioQuestion(record, {}),
        ]);
        const {target} = getStudio(record);
        const body = record.data.channel === "sms" ? "body_sms" : "body_html";
        this.dialog.add(InsertDialog, {
            offer,
            isLine: LINES.includes(target),
            place: record.fields[target || body].string,
            insert: (text) => insertText(record, text, body),
        });
    }
}

registry.category("view_widgets").add("marketing_template_insert", {
    component: TemplateInsert,
    fieldDependencies: [
        {name: "channel", type: "selection"},
        {name: "context", type: "selection"},
    ],
});
