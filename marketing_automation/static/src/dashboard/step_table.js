import {Component} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {HelpButton} from "./help_button";
import {formatFigure, formatPercentage} from "./format";

/** What came of the messages of each step. */
export class StepTable extends Component {
    static template = "marketing_automation.StepTable";
    static components = {HelpButton};
    static props = {rows: Array, columns: Array, currencyId: Number, open: Function};

    getCell(row, {name, unit}) {
        const {value, share, previous} = row.values[name];
        const format = (number) => formatFigure(number, unit, this.props.currencyId);
        return {
            value,
            text: format(value),
            share: share === null ? "" : formatPercentage(share),
            title: previous === null ? "" : _t("Before: %s", format(previous)),
        };
    }
}
