import {Component, onMounted, useEffect, useRef, useState} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {Dialog} from "@web/core/dialog/dialog";
import {RPCError} from "@web/core/network/rpc";
import {useService} from "@web/core/utils/hooks";

function fold(text) {
    return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

/** Finds a merge tag or a block, asks what a block needs, and inserts it. */
export class InsertDialog extends Component {
    static template = "marketing_automation.InsertDialog";
    static components = {Dialog};
    static props = {
        close: Function,
        /** What `marketing.template.get_studio` returns */
        offer: Object,
        /** Whether it goes into a subject or a preview line */
        isLine: Boolean,
        /** Name of the field it goes into */
        place: String,
        /** (text) => void */
        insert: Function,
    };

    setup() {
        this.orm = useService("orm");
        this.search = useRef("search");
        this.list = useRef("list");
        this.state = useState({
            search: "",
            active: 0,
            block: null,
            options: {},
            error: "",
        });
        onMounted(() => this.search.el.focus());
        useEffect(
            () => {
                this.list.el
                    ?.querySelector("[aria-selected=true]")
                    ?.scrollIntoView({block: "nearest"});
            },
            () => [this.state.active]
        );
    }

    get title() {
        return _t("Insert into: %s", this.props.place);
    }

    /** Blocks first: they are what one looks for without knowing its name. */
    get entries() {
        const {blocks, tags} = this.props.offer;
        const all = [
            ...blocks
                .filter((block) => !this.props.isLine || block.is_inline)
                .map((block) => ({...block, code: "", sample: ""})),
            ...tags.map((tag) => ({...tag, label: tag.name, key: `tag:${tag.name}`})),
        ];
        const words = fold(this.state.search).split(" ").filter(Boolean);
        return all.filter((entry) => {
            const text = fold(`${entry.label} ${entry.meaning} ${entry.sample}`);
            return words.every((word) => text.includes(word));
        });
    }

    get activeId() {
        return this.entries.length
            ? `marketing_insert_${this.state.active}`
            : undefined;
    }

    get languages() {
        const seen = new Map();
        for (const [code, name] of this.props.offer.languages) {
            seen.set(code.split("_")[0], name);
        }
        return [...seen];
    }

    onInput(ev) {
        this.state.search = ev.target.value;
        this.state.active = 0;
    }

    onKeydown(ev) {
        const last = this.entries.length - 1;
        const steps = {ArrowDown: 1, ArrowUp: -1};
        if (ev.key in steps) {
            const next = this.state.active + steps[ev.key];
            this.state.active = Math.min(Math.max(next, 0), Math.max(last, 0));
            ev.preventDefault();
        } else if (ev.key === "Enter") {
            ev.preventDefault();
            if (last >= 0) {
                this.choose(this.entries[this.state.active]);
            }
        }
    }

    choose(entry) {
        if (entry.code) {
            return this.finish(entry.code);
        }
        if (!entry.options.length) {
            return this.build(entry);
        }
        this.state.block = entry;
        this.state.error = "";
        this.state.options = {
            target: this.props.offer.targets[0]?.[0] || "",
            condition: this.props.offer.conditions[0]?.[0] || "",
            language: this.languages[0]?.[0] || "",
        };
        return undefined;
    }

    back() {
        this.state.block = null;
    }

    get hasOwnTarget() {
        const {targets} = this.props.offer;
        return !targets.some(([name]) => name === this.state.options.target);
    }

    onTarget(ev) {
        this.state.options.target = ev.target.value;
    }

    async build(block) {
        const options = Object.fromEntries(
            Object.entries(this.state.options).map(([name, value]) => [
                name,
                String(value ?? ""),
            ])
        );
        try {
            const source = await this.orm.call("marketing.template", "build_block", [
                block.key,
                options,
            ]);
            this.finish(source);
        } catch (error) {
            if (!(error instanceof RPCError)) {
                throw error;
            }
            this.state.error = error.data?.message || error.message;
        }
    }

    finish(source) {
        // The dialog gives the focus back when it closes; the cursor comes after that.
        this.props.close();
        setTimeout(() => this.props.insert(source));
    }
}
