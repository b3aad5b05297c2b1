import {registry} from "@web/core/registry";

const READY = ".o_marketing_dashboard .o_content:not([aria-busy='true'])";
const kpi = (name) => `${READY} .o_marketing_kpi[data-figure=${name}]`;

/** Choose an option of one of the filters. */
const choose = (name, value) => ({
    content: `Choose ${value}`,
    trigger: `.o_marketing_filters select[name=${name}]`,
    run: `select ${value}`,
});

/** Enter what the helpers cannot: a day in the browser's own calendar, or nothing. */
const enter =
    (value) =>
    ({anchor}) => {
        anchor.value = value;
        anchor.dispatchEvent(new Event("change", {bubbles: true}));
    };

registry.category("web_tour.tours").add("marketing_automation_dashboard", {
    steps: () => [
        {
            content: "What was recovered is the first thing one sees",
            trigger: `${kpi("recovered_revenue")}:contains('40.00')`,
        },
        {
            content: "There is nothing to compare with yet, and it says so",
            trigger: `${kpi("recovered")}:contains('no comparison')`,
        },
        {
            content: "Every figure explains itself",
            trigger: `${kpi("recovered_revenue")} .o_marketing_help`,
            run: "click",
        },
        {
            trigger: ".o_marketing_help_popover:contains('without refunds')",
        },
        {
            content: "Another line of the chart",
            trigger: `${READY} [data-series=left]`,
            run: "click",
        },
        {
            trigger: `${READY} [data-series=left][aria-pressed=true]`,
        },
        {
            content: "Nobody set a control group",
            trigger: `${READY} .o_marketing_holdout[data-state=off]`,
        },
        {
            content: "A period in which nothing happened",
            ...choose("period", "custom"),
        },
        {
            trigger: ".o_marketing_filters input[name=first]",
            run: enter("2020-01-01"),
        },
        {
            trigger: ".o_marketing_filters input[name=last]",
            run: enter("2020-01-31"),
        },
        {
            trigger: `${kpi("recovered")} .o_marketing_value:contains(/^0$/)`,
        },
        {
            content: "The address keeps what was chosen",
            trigger: "body",
            run: () => {
                const query = new URLSearchParams(window.location.search);
                if (query.get("period") !== "custom" || !query.get("last")) {
                    throw new Error(`Not in the address: ${window.location.search}`);
                }
            },
        },
        choose("period", "last_7"),
        {
            trigger: `${kpi("recovered")} .o_marketing_value:contains(/^1$/)`,
        },
        choose("kind", "payment_failed"),
        {
            trigger: `${kpi("recovered")} .o_marketing_value:contains(/^0$/)`,
        },
        {
            content: "Everything left behind again",
            trigger: ".o_marketing_filters select[name=kind]",
            run: enter(""),
        },
        {
            content: "Open what a figure counts",
            trigger: `${kpi("recovered")} button.o_marketing_value:contains(/^1$/)`,
            run: "click",
        },
        {
            trigger: ".o_list_view .o_data_row:contains('Anna')",
        },
        {
            content: "And go back to the same figures",
            trigger:
                ".o_breadcrumb .o_back_button a, .breadcrumb-item a:contains('Dashboard')",
            run: "click",
        },
        {
            trigger: `.o_marketing_filters select[name=period]:has(option[value=last_7]:checked)`,
        },
        {
            content: "The figures leave as a file",
            trigger: ".o_marketing_export",
            run: "click",
        },
        {
            trigger: ".o-dropdown--menu .o-dropdown-item:contains('CSV')",
        },
    ],
});

registry.category("web_tour.tours").add("marketing_automation_dashboard_empty", {
    steps: () => [
        {
            content: "Nothing yet: what will be here",
            trigger: ".o_marketing_dashboard_empty:contains('What you will see here')",
        },
        {
            content: "What is missing is told",
            trigger:
                ".o_marketing_setup li:contains('Let messages leave'):contains('still to do')",
        },
        {
            content: "And leads to where it can be done",
            trigger: ".o_marketing_setup li:contains('Say what is written') button",
            run: "click",
        },
        {
            trigger: ".o_breadcrumb:contains('Sequences')",
        },
    ],
});
