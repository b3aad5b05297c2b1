import {Component, useState} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";

const LOOKS = {
    must: {icon: "fa-times-circle text-danger", label: _t("Must be fixed")},
    advice: {icon: "fa-exclamation-triangle text-warning", label: _t("Advice")},
    ok: {icon: "fa-check-circle text-success", label: _t("Fine")},
};

/** What there is to say of a message: what is wrong first; what is fine on demand. */
export class CheckList extends Component {
    static template = "marketing_automation.CheckList";
    static props = {
        /** Dicts with `key`, `level`, `message` */
        checks: Array,
    };

    setup() {
        this.looks = LOOKS;
        this.state = useState({unfolded: false});
    }

    get open() {
        return this.props.checks.filter((check) => check.level !== "ok");
    }

    get fine() {
        return this.props.checks.filter((check) => check.level === "ok");
    }

    get shown() {
        return this.state.unfolded ? [...this.open, ...this.fine] : this.open;
    }

    get fineLabel() {
        return this.open.length
            ? _t("%s other checks found nothing", this.fine.length)
            : _t("All is well: %s checks", this.fine.length);
    }

    toggle() {
        this.state.unfolded = !this.state.unfolded;
    }
}
