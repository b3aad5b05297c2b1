import {Component} from "@odoo/owl";
import {Change} from "./change";
import {HelpButton} from "./help_button";
import {formatFigure} from "./format";

/** One figure, what it was before, and the way to its records. */
export class KpiCard extends Component {
    static template = "marketing_automation.KpiCard";
    static components = {Change, HelpButton};
    static props = {
        figure: Object,
        currencyId: Number,
        open: Function,
        isLarge: {type: Boolean, optional: true},
        note: {type: String, optional: true},
    };

    get value() {
        const {value, unit} = this.props.figure;
        return formatFigure(value, unit, this.props.currencyId);
    }

    get canOpen() {
        return this.props.figure.can_open && this.props.figure.value;
    }
}
