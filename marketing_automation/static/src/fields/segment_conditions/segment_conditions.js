import {Dropdown} from "@web/core/dropdown/dropdown";
import {DropdownItem} from "@web/core/dropdown/dropdown_item";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {X2ManyField, x2ManyField} from "@web/views/fields/x2many/x2many_field";

const KINDS = {
    behaviour: {
        icon: "fa-shopping-bag",
        label: _t("What they did"),
        hint: _t("Bought, looked at, opened, clicked, or left a cart; how often, when"),
    },
    customer: {
        icon: "fa-user",
        label: _t("Who they are"),
        hint: _t("Country, language, tags, number of orders, revenue, last order …"),
    },
    rfm: {
        icon: "fa-star",
        label: _t("How good a customer"),
        hint: _t("Champions, loyal, new, at risk, lost … by their orders"),
    },
    consent: {
        icon: "fa-check-square-o",
        label: _t("What they agreed to"),
        hint: _t("Whether they may get offers, news … by email or SMS"),
    },
    segment: {
        icon: "fa-users",
        label: _t("Another segment"),
        hint: _t("In it, or not in it"),
    },
    group: {
        icon: "fa-object-group",
        label: _t("Several conditions as one"),
        hint: _t("For “this or that” among conditions that all count"),
    },
};

// Something to change rather than something to find.
const FIRST_RULE = "[('country_id', 'in', [])]";

/** The conditions of a segment, or of a group of them, as sentences. */
export class SegmentConditionsField extends X2ManyField {
    static template = "marketing_automation.SegmentConditionsField";
    static components = {Dropdown, DropdownItem};

    setup() {
        super.setup();
        const open = this._openRecord;
        this._openRecord = (params) => open({...params, title: this.titleOf(params)});
    }

    get kinds() {
        return Object.entries(KINDS).map(([key, kind]) => ({key, ...kind}));
    }

    get connective() {
        return this.props.record.data.logic === "OR" ? _t("or") : _t("and");
    }

    get canDelete() {
        return !this.props.readonly && this.activeActions.delete;
    }

    iconOf(record) {
        return KINDS[record.data.kind]?.icon;
    }

    titleOf({record, context}) {
        const kind = record ? record.data.kind : context.default_kind;
        return KINDS[kind]?.label || _t("Condition");
    }

    onAddKind(kind) {
        return this.onAdd({
            context: {default_kind: kind, default_domain: FIRST_RULE},
        });
    }

    onDelete(record) {
        return this.list.delete(record);
    }
}

export const segmentConditionsField = {
    ...x2ManyField,
    component: SegmentConditionsField,
    displayName: _t("Conditions as sentences"),
    supportedTypes: ["one2many"],
};

registry.category("fields").add("marketing_segment_conditions", segmentConditionsField);
