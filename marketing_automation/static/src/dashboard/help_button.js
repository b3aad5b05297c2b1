import {Component} from "@odoo/owl";
import {usePopover} from "@web/core/popover/popover_hook";
import {_t} from "@web/core/l10n/translation";

class HelpPopover extends Component {
    static template = "marketing_automation.HelpPopover";
    static props = {label: String, help: String, close: Function};
}

/** What a figure counts, for whoever asks. */
export class HelpButton extends Component {
    static template = "marketing_automation.HelpButton";
    static props = {label: String, help: String};

    setup() {
        this.popover = usePopover(HelpPopover, {position: "bottom"});
    }

    get title() {
        return _t("What is counted as “%s”?", this.props.label);
    }

    open(ev) {
        const {label, help} = this.props;
        this.popover.open(ev.currentTarget, {label, help});
    }
}
