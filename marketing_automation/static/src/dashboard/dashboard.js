import {Component, onWillStart, useState} from "@odoo/owl";
import {browser} from "@web/core/browser/browser";
import {router} from "@web/core/browser/router";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {user} from "@web/core/user";
import {KeepLast} from "@web/core/utils/concurrency";
import {useService} from "@web/core/utils/hooks";
import {ControlPanel} from "@web/search/control_panel/control_panel";
import {useSetupAction} from "@web/search/action_hook";
import {standardActionServiceProps} from "@web/webclient/actions/action_service";
import {Dropdown} from "@web/core/dropdown/dropdown";
import {DropdownItem} from "@web/core/dropdown/dropdown_item";
import {Funnel} from "./funnel";
import {HoldoutCard} from "./holdout_card";
import {KeyList} from "./key_list";
import {KpiCard} from "./kpi_card";
import {SetupList} from "./setup_list";
import {StepTable} from "./step_table";
import {TrendChart} from "./trend_chart";
import {formatDays} from "./format";

const OPTIONS = ["period", "first", "last", "website", "kind"];

/** What recovery does and earns, on one screen. */
export class MarketingDashboard extends Component {
    static template = "marketing_automation.Dashboard";
    static components = {
        ControlPanel,
        Dropdown,
        DropdownItem,
        Funnel,
        HoldoutCard,
        KeyList,
        KpiCard,
        SetupList,
        StepTable,
        TrendChart,
    };
    static props = {...standardActionServiceProps};

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.display = {layoutActions: true};
        this.keepLast = new KeepLast();
        this.state = useState({
            options: this.props.state?.options || readAddress(),
            data: null,
            error: "",
            isLoading: false,
        });
        // The breadcrumb leads back to the very same figures.
        useSetupAction({getLocalState: () => ({options: this.state.options})});
        onWillStart(() => this.load());
    }

    get periods() {
        return [
            ["last_7", _t("Last 7 days")],
            ["last_30", _t("Last 30 days")],
            ["last_90", _t("Last 90 days")],
            ["month", _t("This month")],
            ["year", _t("This year")],
            ["custom", _t("Choose days…")],
        ];
    }

    get days() {
        const {first, last} = this.state.data.options;
        return formatDays([first, last]);
    }

    get previousDays() {
        return formatDays(this.state.data.previous);
    }

    get largeKpis() {
        return this.state.data.kpis.slice(0, 4);
    }

    get smallKpis() {
        return this.state.data.kpis.slice(4);
    }

    /** Figures of the options; what was shown stays until the new ones are there. */
    async load() {
        this.state.isLoading = true;
        this.state.error = "";
        try {
            const data = await this.keepLast.add(
                this.orm.silent.call("marketing.dashboard", "get_data", [
                    this.state.options,
                ])
            );
            Object.assign(this.state, {data, options: data.options});
        } catch (error) {
            this.state.error = error.data?.message || error.message;
        }
        this.state.isLoading = false;
    }

    async setOptions(changes) {
        Object.assign(this.state.options, changes);
        const {period, first, last, website, kind} = this.state.options;
        const isCustom = period === "custom";
        this.props.updateActionState?.({
            period,
            first: isCustom ? first : undefined,
            last: isCustom ? last : undefined,
            website: website || undefined,
            kind: kind || undefined,
        });
        await this.load();
    }

    setWebsite(value) {
        return this.setOptions({website: Number(value) || false});
    }

    setDay(name, value) {
        // Half of a date is no date yet.
        return value && this.setOptions({[name]: value});
    }

    /**
     * Open the records that a figure counts.
     *
     * @param {string} figure
     * @param {Object} narrowed see `get_records`
     */
    async open(figure, narrowed = {}) {
        const action = await this.orm.call("marketing.dashboard", "get_records", [
            this.state.options,
            figure,
            narrowed,
        ]);
        return this.action.doAction(action);
    }

    download(format) {
        const companies = user.context.allowed_company_ids.join(",");
        const query = new URLSearchParams({format, companies});
        for (const name of OPTIONS) {
            if (this.state.options[name]) {
                query.set(name, this.state.options[name]);
            }
        }
        browser.open(`/marketing/dashboard/export?${query}`, "_self");
    }

    /** What the choices above the figures say; these are not printed. */
    get printedTitle() {
        const {companies, websites, kinds, options} = this.state.data;
        const nameOf = (pairs, chosen) => pairs.find(([key]) => key === chosen)?.[1];
        return [
            _t("Recovery"),
            companies.join(", "),
            nameOf(websites, options.website),
            nameOf(kinds, options.kind),
        ]
            .filter(Boolean)
            .join(" · ");
    }

    /** The browser's own dialog has a PDF among its printers. */
    print() {
        // The menu that was clicked is closed first.
        browser.setTimeout(() => window.print());
    }
}

/** What the address of the page asks for. */
function readAddress() {
    const options = {};
    for (const name of OPTIONS) {
        if (router.current[name]) {
            options[name] = router.current[name];
        }
    }
    return options;
}

registry.category("actions").add("marketing_automation.dashboard", MarketingDashboard);
