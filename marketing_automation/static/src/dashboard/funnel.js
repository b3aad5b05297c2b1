import {Component} from "@odoo/owl";
import {formatInteger} from "@web/views/fields/formatters";
import {HelpButton} from "./help_button";
import {formatPercentage} from "./format";

/** How far the carts of a period got. */
export class Funnel extends Component {
    static template = "marketing_automation.Funnel";
    static components = {HelpButton};
    static props = {stages: Array, open: Function};

    get stages() {
        const whole = this.props.stages[0].value;
        return this.props.stages.map((stage) => {
            const part = whole ? stage.value / whole : 0;
            return {
                ...stage,
                number: formatInteger(stage.value),
                percentage: whole ? formatPercentage(part) : "",
                width: Math.max(part * 100, stage.value ? 0.5 : 0),
            };
        });
    }
}
