import {Component, onWillStart, useEffect, useRef, useState} from "@odoo/owl";
import {loadBundle} from "@web/core/assets";
import {cookie} from "@web/core/browser/cookie";
import {getColor, getCustomColor, hexToRGBA} from "@web/core/colors/colors";
import {_t} from "@web/core/l10n/translation";
import {HelpButton} from "./help_button";
import {formatDays, formatFigure} from "./format";

const {DateTime} = luxon;
const FORMATS = {day: {day: "numeric", month: "short"}, month: {month: "short"}};

/** A figure over time, beside that of the period before. */
export class TrendChart extends Component {
    static template = "marketing_automation.TrendChart";
    static components = {HelpButton};
    static props = {chart: Object, currencyId: Number};

    setup() {
        this.canvasRef = useRef("canvas");
        this.state = useState({name: this.props.chart.figures[0].name});
        onWillStart(() => loadBundle("web.chartjs_lib"));
        useEffect(
            () => {
                const chart = new Chart(this.canvasRef.el, this.config);
                return () => chart.destroy();
            },
            () => [this.state.name, this.props.chart]
        );
    }

    get figure() {
        return this.props.chart.figures.find(({name}) => name === this.state.name);
    }

    get labels() {
        const format = FORMATS[this.props.chart.unit] || FORMATS.day;
        return this.props.chart.points.map(([first]) =>
            DateTime.fromISO(first).toLocaleString(format)
        );
    }

    format(value) {
        return formatFigure(value, this.figure.unit, this.props.currencyId);
    }

    /** The same numbers for those who do not see the picture. */
    get rows() {
        const {points, has_previous: hasPrevious} = this.props.chart;
        const {values, previous} = this.figure;
        return points.map((days, index) => ({
            days: formatDays(days),
            value: this.format(values[index]),
            before: hasPrevious ? this.format(previous[index] ?? 0) : "–",
        }));
    }

    get datasets() {
        const scheme = cookie.get("color_scheme");
        const color = getColor(3, scheme, "odoo");
        const muted = getCustomColor(scheme, "#8f929b", "#9ea1aa");
        const {points, has_previous: hasPrevious} = this.props.chart;
        const line = {pointHitRadius: 10, tension: 0, borderWidth: 2};
        const dots = points.length > 1 ? 0 : 4;
        const datasets = [
            {
                ...line,
                label: _t("This period"),
                data: this.figure.values,
                borderColor: color,
                backgroundColor: hexToRGBA(color, 0.15),
                pointRadius: dots,
                fill: "start",
            },
        ];
        if (hasPrevious) {
            datasets.push({
                ...line,
                label: _t("Period before"),
                data: this.figure.previous.slice(0, points.length),
                borderColor: muted,
                backgroundColor: "transparent",
                borderDash: [5, 4],
                pointRadius: dots,
            });
        }
        return datasets;
    }

    get config() {
        const scheme = cookie.get("color_scheme");
        const grid = getCustomColor(scheme, "#d8dadd", "#3C3E4B");
        const text = getCustomColor(scheme, "#5f636f", "#b1b3bc");
        const {points, previous_points: previousPoints} = this.props.chart;
        return {
            type: "line",
            data: {labels: this.labels, datasets: this.datasets},
            options: {
                animation: false,
                maintainAspectRatio: false,
                interaction: {intersect: false, mode: "index"},
                plugins: {
                    legend: {position: "bottom", labels: {color: text, boxHeight: 1}},
                    tooltip: {
                        callbacks: {
                            title: ([{dataIndex}]) => formatDays(points[dataIndex]),
                            label: ({dataset, datasetIndex, dataIndex, raw}) => {
                                const days = previousPoints[dataIndex];
                                const name =
                                    datasetIndex && days
                                        ? formatDays(days)
                                        : dataset.label;
                                return `${name}: ${this.format(raw)}`;
                            },
                        },
                    },
                },
                scales: {
                    x: {
                        grid: {display: false},
                        ticks: {color: text, maxTicksLimit: 8, maxRotation: 0},
                    },
                    y: {
                        beginAtZero: true,
                        grid: {color: grid},
                        ticks: {
                            color: text,
                            maxTicksLimit: 5,
                            precision: 0,
                            callback: (value) => this.format(value),
                        },
                    },
                },
            },
        };
    }
}
