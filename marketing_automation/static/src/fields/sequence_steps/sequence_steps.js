import {
    Component,
    onMounted,
    onPatched,
    onWillUnmount,
    onWillUpdateProps,
    useRef,
    useState,
} from "@odoo/owl";
import {X2ManyField, x2ManyField} from "@web/views/fields/x2many/x2many_field";
import {useOpenX2ManyRecord, useX2ManyCrud} from "@web/views/fields/relational_utils";
import {_t} from "@web/core/l10n/translation";
import {browser} from "@web/core/browser/browser";
import {formatInteger} from "@web/views/fields/formatters";
import {registry} from "@web/core/registry";
import {useService} from "@web/core/utils/hooks";
import {useSortable} from "@web/core/utils/sortable_owl";

const REFRESH_MS = 30000;
const CHANNEL_ICONS = {email: "fa-envelope", sms: "fa-mobile fa-lg"};
const STARTS = {
    cart: {
        icon: "fa-shopping-cart",
        label: _t("Cart left behind"),
        hint: _t("by a customer we can write to"),
    },
    payment_failed: {
        icon: "fa-credit-card",
        label: _t("Payment failed"),
        hint: _t("and the customer left"),
    },
    quotation: {
        icon: "fa-file-text-o",
        label: _t("Quotation left unanswered"),
        hint: _t("by a customer we can write to"),
    },
    contact: {
        icon: "fa-user-plus",
        label: _t("A contact is handed over"),
        hint: _t("by a campaign"),
    },
};
const EXITS = [
    {reason: "purchased", icon: "fa-check", label: _t("the customer bought")},
    {reason: "opted_out", icon: "fa-bell-slash", label: _t("opted out")},
    {reason: "replied", icon: "fa-reply", label: _t("replied")},
];
const CART_EXITS = [
    {reason: "emptied", icon: "fa-trash-o", label: _t("the cart was emptied")},
    {reason: "expired", icon: "fa-hourglass-end", label: _t("the cart expired")},
];
const SENT_STATES = ["sent", "delivered", "bounced"];

/** What became of a step so far, in numbers that open what they count. */
export class StepFigures extends Component {
    static template = "marketing_automation.StepFigures";
    static props = {figures: Object, stepId: Number, channel: String};

    setup() {
        this.action = useService("action");
        this.formatInteger = formatInteger;
    }

    get numbers() {
        const {figures, channel} = this.props;
        const isEmail = channel === "email";
        return [
            {key: "waiting", label: _t("waiting now"), count: figures.waiting},
            {key: "sent", label: _t("sent"), count: figures.sent},
            isEmail && {key: "opened", label: _t("opened*"), count: figures.opened},
            {key: "clicked", label: _t("clicked"), count: figures.clicked},
            {key: "skipped", label: _t("skipped"), count: figures.skipped},
        ].filter(Boolean);
    }

    share(number) {
        const {sent} = this.props.figures;
        const counts = ["opened", "clicked"].includes(number.key);
        return counts && sent
            ? `${Math.round((100 * (number.count || 0)) / sent)} %`
            : "";
    }

    /** Open what a number counts; nothing for what is no list. */
    open(number) {
        const ofStep = [["step_id", "=", this.props.stepId]];
        const {res_model, domain} = {
            waiting: {
                res_model: "marketing.enrollment",
                domain: [
                    ["next_step_id", "=", this.props.stepId],
                    ["state", "in", ["active", "paused"]],
                ],
            },
            sent: {domain: [...ofStep, ["state", "in", SENT_STATES]]},
            opened: {domain: [...ofStep, ["engagement_ids.kind", "=", "open"]]},
            clicked: {domain: [...ofStep, ["click_count", ">", 0]]},
            skipped: {domain: [...ofStep, ["state", "=", "skipped"]]},
        }[number.key];
        return this.action.doAction({
            type: "ir.actions.act_window",
            name: number.label,
            res_model: res_model || "marketing.message",
            domain,
            views: [
                [false, "list"],
                [false, "form"],
            ],
        });
    }
}

/** The run through a sequence as a timeline: what is sent when, and what came of it. */
export class SequenceStepsField extends X2ManyField {
    static template = "marketing_automation.SequenceStepsField";
    static components = {StepFigures};

    setup() {
        super.setup();
        this.orm = useService("orm");
        this.formatInteger = formatInteger;
        this.state = useState({figures: null});
        this.setupDialog();
        this.steps = useRef("steps");
        useSortable({
            enable: () => this.canMove,
            ref: this.steps,
            elements: ".o_marketing_step",
            handle: ".o_marketing_step_handle",
            cursor: "grabbing",
            onDrop: ({element, previous}) =>
                this.list.resequence(element.dataset.id, previous?.dataset.id || null),
        });
        onMounted(() => {
            this.refresh();
            this.timer = browser.setInterval(() => this.refresh(), REFRESH_MS);
        });
        onPatched(() => this.followMoved());
        onWillUpdateProps((props) => this.refresh(props.record.resId));
        onWillUnmount(() => browser.clearInterval(this.timer));
    }

    /** A step that was added between two others is put there when it is saved. */
    setupDialog() {
        const {saveRecord, updateRecord} = useX2ManyCrud(() => this.list, false);
        const open = useOpenX2ManyRecord({
            resModel: this.list.resModel,
            activeField: this.activeField,
            activeActions: this.activeActions,
            getList: () => this.list,
            saveRecord: async (record) => {
                await saveRecord(record);
                await this.list.resequence(record.id, this.previousId);
                this.previousId = record.id;
            },
            updateRecord,
            isMany2Many: false,
        });
        this._openRecord = (params) => {
            const opener = document.activeElement;
            return open({
                ...params,
                title: params.record ? _t("Step") : _t("New Step"),
                onClose: () => opener?.focus(),
            });
        };
    }

    // Figures

    async refresh(resId = this.props.record.resId) {
        if (!resId || document.hidden) {
            return;
        }
        const figures = await this.orm.silent.call(
            "marketing.sequence",
            "get_figures",
            [[resId]]
        );
        if (JSON.stringify(figures) !== JSON.stringify(this.state.figures)) {
            this.state.figures = figures;
        }
    }

    figuresOf(step) {
        return (step.resId && this.state.figures?.steps[step.resId]) || {};
    }

    // What is shown

    get start() {
        return STARTS[this.props.record.data.kind] || STARTS.cart;
    }

    get holdout() {
        const {holdout_percent: percent} = this.props.record.data;
        return percent
            ? _t("%s %% of the people are the control group and get nothing", percent)
            : "";
    }

    get isForContacts() {
        return this.props.record.data.kind === "contact";
    }

    get exits() {
        const counts = this.state.figures?.exits || {};
        const {max_messages: most, stops_on_purchase: endsWithOrder} =
            this.props.record.data;
        const ofCarts = [
            ...EXITS,
            ...CART_EXITS,
            {
                reason: "max_messages",
                icon: "fa-envelope-o",
                label:
                    most === 1
                        ? _t("1 message was sent")
                        : _t("%s messages were sent", most),
            },
        ];
        const archived = {
            reason: "archived",
            icon: "fa-archive",
            label: _t("the contact is archived"),
        };
        // Shown where it happened.
        const merged = {
            reason: "repeated",
            icon: "fa-clone",
            label: _t("it goes on under another contact"),
        };
        const exits = this.isForContacts
            ? [...(endsWithOrder ? EXITS : EXITS.slice(1)), archived]
            : [...ofCarts, ...(counts.archived ? [archived] : [])];
        return [...exits, ...(counts.repeated ? [merged] : [])].map((exit) => ({
            ...exit,
            count: counts[exit.reason],
        }));
    }

    get completedCount() {
        return this.state.figures?.exits.completed;
    }

    iconOf(step) {
        return CHANNEL_ICONS[step.data.channel] || "fa-paper-plane";
    }

    // What can be done

    get canMove() {
        return !this.props.readonly && this.activeActions.write !== false;
    }

    /**
     * Open the dialog of a new step.
     *
     * @param {Object} [previous] the step behind which it comes; none: the first one
     * @returns {Promise}
     */
    addAfter(previous) {
        this.previousId = previous?.id || null;
        return this.onAdd();
    }

    async move(step, by) {
        const others = this.list.records.filter((record) => record.id !== step.id);
        const place = this.list.records.indexOf(step) + by;
        await this.list.resequence(step.id, others[place - 1]?.id || null);
        this.moved = {id: step.id, arrow: by < 0 ? "up" : "down"};
        this.render();
    }

    /** Whoever moves a step with the keyboard goes on with it, wherever it is now. */
    followMoved() {
        if (!this.moved) {
            return;
        }
        const {id, arrow} = this.moved;
        this.moved = null;
        const arrows = this.steps.el.querySelectorAll(
            `[data-id="${id}"] .o_marketing_step_tools .btn:not(:disabled)`
        );
        const same = [...arrows].find((button) =>
            button.classList.contains(`o_marketing_step_${arrow}`)
        );
        (same || arrows[0])?.focus();
    }
}

export const sequenceStepsField = {
    ...x2ManyField,
    component: SequenceStepsField,
    displayName: _t("Steps as a timeline"),
    supportedTypes: ["one2many"],
    fieldDependencies: [
        {name: "kind", type: "selection"},
        {name: "max_messages", type: "integer"},
        {name: "holdout_percent", type: "integer"},
        {name: "stops_on_purchase", type: "boolean"},
    ],
};

registry.category("fields").add("marketing_sequence_steps", sequenceStepsField);
