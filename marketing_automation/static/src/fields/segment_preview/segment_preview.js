import {Component, useState} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {KeepLast} from "@web/core/utils/concurrency";
import {useService} from "@web/core/utils/hooks";
import {useDebounced} from "@web/core/utils/timing";
import {useRecordObserver} from "@web/model/relational_model/utils";
import {formatInteger} from "@web/views/fields/formatters";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";

// What people still click goes into the same question.
const PATIENCE = 300;

/**
 * Who is in a segment as it stands on the screen, saved or not, and how many of them
 * can be written to.
 */
export class SegmentPreview extends Component {
    static template = "marketing_automation.SegmentPreview";
    static props = {...standardWidgetProps};

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.formatInteger = formatInteger;
        this.keepLast = {people: new KeepLast(), reach: new KeepLast()};
        this.state = useState({
            people: null,
            reach: null,
            purpose: null,
            error: "",
            loading: true,
        });
        this.ask = useDebounced(this.load.bind(this), PATIENCE);
        useRecordObserver((record) => {
            const question = this.question(record);
            const key = JSON.stringify(question);
            if (key !== this.asked) {
                this.asked = key;
                this.state.loading = true;
                this.ask(question);
            }
        });
    }

    /** Everything on the form that decides about who is in the segment. */
    question(record) {
        const {kind, criteria, company_id: company, size} = record.data;
        return {
            segment_id: record.resId,
            kind,
            criteria: criteria || "",
            company_id: company?.id,
            // Members of a static segment change without the form.
            size: kind === "static" ? size : undefined,
        };
    }

    async load(question) {
        const people = await this.call("people", "get_preview", [question]);
        const {error} = people;
        Object.assign(this.state, {people, error, reach: null, loading: false});
        if (!error && people.size) {
            await this.loadReach();
        }
    }

    async loadReach() {
        const question = JSON.parse(this.asked);
        this.state.reach = null;
        this.state.reach = await this.call("reach", "get_reach", [
            question,
            this.state.purpose,
        ]);
        this.state.purpose = this.state.reach.purpose;
    }

    /** Ask the server; only the answer to the last question of its kind comes back. */
    call(kind, method, args) {
        return this.keepLast[kind].add(
            this.orm.silent.call("customer.segment", method, args)
        );
    }

    onPurpose(ev) {
        this.state.purpose = ev.target.value;
        return this.loadReach();
    }

    openPerson(person) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "res.partner",
            res_id: person.id,
            views: [[false, "form"]],
            target: "new",
        });
    }

    share(channel) {
        const size = this.state.people.size;
        return size ? Math.round((100 * channel.reachable) / size) : 0;
    }

    get sizeLabel() {
        return this.state.people.size === 1 ? _t("person") : _t("people");
    }
}

export const segmentPreview = {
    component: SegmentPreview,
    fieldDependencies: [
        {name: "kind", type: "selection"},
        {name: "criteria", type: "text"},
        {name: "company_id", type: "many2one"},
        {name: "size", type: "integer"},
    ],
};

registry.category("view_widgets").add("marketing_segment_preview", segmentPreview);
