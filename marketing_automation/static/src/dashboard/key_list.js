import {Component} from "@odoo/owl";
import {formatInteger} from "@web/views/fields/formatters";
import {formatPercentage} from "./format";

/** A figure by state or reason. */
export class KeyList extends Component {
    static template = "marketing_automation.KeyList";
    static props = {
        rows: Array,
        figure: String,
        open: Function,
        empty: String,
    };

    get rows() {
        return this.props.rows.map((row) => ({
            ...row,
            number: formatInteger(row.value),
            before: row.previous === null ? "" : formatInteger(row.previous),
            percentage: row.share === null ? "" : formatPercentage(row.share),
            width: (row.share || 0) * 100,
        }));
    }
}
