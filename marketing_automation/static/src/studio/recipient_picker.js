import {Component} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {AutoComplete} from "@web/core/autocomplete/autocomplete";

/** Chooses whom a message is shown for. */
export class RecipientPicker extends Component {
    static template = "marketing_automation.RecipientPicker";
    static components = {AutoComplete};
    static props = {
        /** Label of who is chosen, empty: the sample person */
        label: String,
        /** async (search) => [{id, label}] */
        find: Function,
        /** ({id, label} | null) => void */
        choose: Function,
    };

    get sources() {
        return [{options: (search) => this.loadOptions(search), placeholder: _t("…")}];
    }

    async loadOptions(search) {
        // What stands there is a name already, and not what is looked for.
        const found = await this.props.find(search === this.props.label ? "" : search);
        const options = found.map((recipient) => ({
            label: recipient.label,
            onSelect: () => this.props.choose(recipient),
        }));
        if (!options.length) {
            options.push({label: _t("Nobody found"), cssClass: "text-muted"});
        }
        return options;
    }
}
