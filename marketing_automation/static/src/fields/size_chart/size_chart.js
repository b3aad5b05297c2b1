import {Component, onWillStart, useEffect, useRef} from "@odoo/owl";
import {loadBundle} from "@web/core/assets";
import {cookie} from "@web/core/browser/cookie";
import {getColor, getCustomColor, hexToRGBA} from "@web/core/colors/colors";
import {_t} from "@web/core/l10n/translation";
import {formatDate} from "@web/core/l10n/dates";
import {registry} from "@web/core/registry";
import {formatInteger} from "@web/views/fields/formatters";
import {standardFieldProps} from "@web/views/fields/standard_field_props";

const {DateTime} = luxon;

/** A number over the days: a list of pairs of an ISO date and the number. */
export class SizeChartField extends Component {
    static template = "marketing_automation.SizeChartField";
    static props = {
        ...standardFieldProps,
        isSparkline: {type: Boolean, optional: true},
    };

    setup() {
        this.canvasRef = useRef("canvas");
        onWillStart(() => loadBundle("web.chartjs_lib"));
        useEffect(
            () => {
                if (!this.canvasRef.el) {
                    return;
                }
                const chart = new Chart(this.canvasRef.el, this.config);
                return () => chart.destroy();
            },
            () => [JSON.stringify(this.points)]
        );
    }

    get points() {
        return this.props.record.data[this.props.name] || [];
    }

    get isEmpty() {
        return this.points.length < 2;
    }

    get label() {
        const [first, last] = [this.points.at(0), this.points.at(-1)];
        return _t("From %(first)s to %(last)s people", {
            first: formatInteger(first[1]),
            last: formatInteger(last[1]),
        });
    }

    get config() {
        const scheme = cookie.get("color_scheme");
        const color = getColor(3, scheme, "odoo");
        const grid = getCustomColor(scheme, "#d8dadd", "#3C3E4B");
        const isVisible = !this.props.isSparkline;
        return {
            type: "line",
            data: {
                labels: this.points.map(([day]) => formatDate(DateTime.fromISO(day))),
                datasets: [
                    {
                        data: this.points.map(([, size]) => size),
                        borderColor: color,
                        backgroundColor: hexToRGBA(color, 0.15),
                        borderWidth: 2,
                        fill: "start",
                        pointRadius: 0,
                        pointHitRadius: 10,
                        tension: 0,
                    },
                ],
            },
            options: {
                animation: false,
                maintainAspectRatio: false,
                plugins: {
                    legend: {display: false},
                    tooltip: {
                        enabled: isVisible,
                        intersect: false,
                        mode: "index",
                        displayColors: false,
                        callbacks: {label: ({raw}) => formatInteger(raw)},
                    },
                },
                scales: {
                    x: {
                        display: isVisible,
                        grid: {display: false},
                        ticks: {maxTicksLimit: 6, maxRotation: 0},
                    },
                    y: {
                        display: isVisible,
                        beginAtZero: isVisible,
                        grid: {color: grid},
                        ticks: {precision: 0, maxTicksLimit: 5},
                    },
                },
            },
        };
    }
}

export const sizeChartField = {
    component: SizeChartField,
    displayName: _t("Number over time"),
    supportedOptions: [{label: _t("Without axes"), name: "sparkline", type: "boolean"}],
    supportedTypes: ["json"],
    extractProps: ({options}) => ({isSparkline: Boolean(options.sparkline)}),
};

registry.category("fields").add("marketing_size_chart", sizeChartField);
