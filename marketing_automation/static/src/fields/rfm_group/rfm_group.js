import {Component} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {formatInteger} from "@web/views/fields/formatters";
import {standardFieldProps} from "@web/views/fields/standard_field_props";

/** Groups of customers to choose from: what each means, and how many are in it now. */
export class RfmGroupField extends Component {
    static template = "marketing_automation.RfmGroupField";
    static props = {...standardFieldProps};

    setup() {
        this.formatInteger = formatInteger;
    }

    get value() {
        return this.props.record.data[this.props.name];
    }

    get choices() {
        const choices = this.props.record.data.rfm_choices || [];
        return choices.map(([key, label, meaning, count]) => ({
            key,
            label,
            meaning,
            count,
        }));
    }

    onChoose(key) {
        return this.props.record.update({[this.props.name]: key});
    }
}

export const rfmGroupField = {
    component: RfmGroupField,
    displayName: _t("Group of customers"),
    supportedTypes: ["selection"],
    fieldDependencies: [{name: "rfm_choices", type: "json"}],
};

registry.category("fields").add("marketing_rfm_group", rfmGroupField);
