import {Component, onWillStart, onWillUpdateProps, useState} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {KeepLast} from "@web/core/utils/concurrency";
import {useService} from "@web/core/utils/hooks";
import {formatInteger} from "@web/views/fields/formatters";
import {formatFigure, formatPercentage} from "./format";

/** What recovery adds, by comparison with a group that gets nothing. */
export class HoldoutCard extends Component {
    static template = "marketing_automation.HoldoutCard";
    static props = {options: Object, currencyId: Number};

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.keepLast = new KeepLast();
        this.state = useState({data: null, hasFailed: false});
        // The other figures do not wait for this one.
        onWillStart(() => void this.load(this.props.options));
        onWillUpdateProps(({options}) => void this.load(options));
    }

    async load(options) {
        const asked = JSON.stringify(options);
        if (asked === this.asked) {
            return;
        }
        this.asked = asked;
        Object.assign(this.state, {data: null, hasFailed: false});
        try {
            this.state.data = await this.keepLast.add(
                this.orm.silent.call("marketing.dashboard", "get_holdout", [options])
            );
        } catch {
            this.asked = undefined;
            this.state.hasFailed = true;
        }
    }

    get groups() {
        const {treated, control} = this.state.data;
        return [
            {key: "treated", label: _t("Written to"), ...treated},
            {key: "control", label: _t("Control group"), ...control},
        ].map((group) => ({
            ...group,
            number: formatInteger(group.count),
            percentage: formatPercentage(group.share),
            width: group.share * 100,
        }));
    }

    get headline() {
        const {orders} = this.state.data;
        const count = formatInteger(Math.abs(Math.round(orders[0])));
        return orders[0] < 0
            ? _t("Recovery costs about %s orders", count)
            : _t("Recovery adds about %s orders", count);
    }

    get orders() {
        return this.formatRange(this.state.data.orders.map(Math.round), "number");
    }

    get revenue() {
        const [estimate] = this.state.data.revenue;
        return formatFigure(estimate, "money", this.props.currencyId);
    }

    get revenueRange() {
        return this.formatRange(this.state.data.revenue, "money");
    }

    get isRevenueClear() {
        const [, low, high] = this.state.data.revenue;
        return low > 0 || high < 0;
    }

    get missing() {
        return formatInteger(this.state.data.missing);
    }

    formatRange([, low, high], unit) {
        const format = (value) => formatFigure(value, unit, this.props.currencyId);
        return _t("%(low)s to %(high)s", {low: format(low), high: format(high)});
    }

    openSequences() {
        return this.action.doAction("marketing_automation.action_marketing_sequence");
    }
}
