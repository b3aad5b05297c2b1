import {Component} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {formatFigure, formatPercentage} from "./format";

/** How a figure differs from that of the period before. */
export class Change extends Component {
    static template = "marketing_automation.Change";
    static props = {figure: Object, currencyId: Number};

    get isKnown() {
        return this.props.figure.change !== null;
    }

    get direction() {
        return Math.sign(this.props.figure.change);
    }

    get icon() {
        return {"-1": "fa-arrow-down", 0: "fa-minus", 1: "fa-arrow-up"}[this.direction];
    }

    get color() {
        const {good} = this.props.figure;
        if (good === null || !this.direction) {
            return "text-muted";
        }
        return this.direction > 0 === good ? "text-success" : "text-danger";
    }

    get text() {
        const {change, change_rate: rate, unit} = this.props.figure;
        if (!this.direction) {
            return _t("unchanged");
        }
        const sign = this.direction > 0 ? "+" : "−";
        if (unit === "share") {
            const points = Math.abs(change * 100).toFixed(1);
            return _t("%(sign)s%(points)s points", {sign, points});
        }
        const amount = formatFigure(Math.abs(change), unit, this.props.currencyId);
        // Of next to nothing a share says nothing.
        if (rate === null || Math.abs(rate) >= 10) {
            return sign + amount;
        }
        return `${sign}${formatPercentage(Math.abs(rate))} (${sign}${amount})`;
    }

    get spoken() {
        return {"-1": _t("Less than before:"), 0: "", 1: _t("More than before:")}[
            this.direction
        ];
    }
}
