import {useEffect} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {CharField, charField} from "@web/views/fields/char/char_field";
import {useEditor} from "./studio";

/** A source of one line: the preview follows while it is typed. */
export class TemplateLineField extends CharField {
    setup() {
        super.setup();
        const {record, name} = this.props;
        this.studio = useEditor(record, name, {
            insert: (text) => this.insert(text),
            reveal: () => this.input.el?.focus(),
        });
        useEffect(
            (el) => {
                if (!el) {
                    return;
                }
                const listeners = {
                    focus: () => (this.studio.target = name),
                    input: () => (this.studio.drafts[name] = el.value),
                    change: () => delete this.studio.drafts[name],
                };
                for (const [type, listener] of Object.entries(listeners)) {
                    el.addEventListener(type, listener);
                }
                return () => {
                    for (const [type, listener] of Object.entries(listeners)) {
                        el.removeEventListener(type, listener);
                    }
                };
            },
            () => [this.input.el]
        );
        useEffect(
            (el, isWrong) => {
                el?.classList.toggle("border-danger", isWrong);
                el?.setAttribute("aria-invalid", isWrong);
            },
            () => [
                this.input.el,
                this.studio.errors.some((error) => error.field === name),
            ]
        );
    }

    insert(text) {
        const el = this.input.el;
        el.focus();
        el.setRangeText(text, el.selectionStart, el.selectionEnd, "end");
        // As if somebody had typed it.
        el.dispatchEvent(new InputEvent("input", {bubbles: true}));
    }
}

export const templateLineField = {
    ...charField,
    component: TemplateLineField,
    displayName: _t("Template source of one line"),
    additionalClasses: ["o_field_char"],
};

registry.category("fields").add("marketing_template_line", templateLineField);
