import {useEffect, useRef} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {AceField, aceField} from "@web/views/fields/ace/ace_field";
import {TranslationButton} from "@web/views/fields/translation_button";
import {colourJinja} from "../../studio/jinja_mode";
import {useEditor} from "../../studio/studio";

/**
 * The code editor as a part of the template screen: the preview follows while one types,
 * errors are marked at their line, Jinja is coloured, and there is a way to the other
 * languages.
 */
export class SourceCodeField extends AceField {
    static template = "marketing_automation.SourceCodeField";
    static components = {...AceField.components, TranslationButton};

    setup() {
        super.setup();
        this.root = useRef("root");
        const {record, name} = this.props;
        this.studio = useEditor(record, name, {
            insert: (text) => this.insert(text),
            reveal: (line) => this.reveal(line),
        });
        useEffect(
            (ace) => this.equip(ace),
            () => [this.ace]
        );
        useEffect(
            (ace, errors) => ace?.getSession().setAnnotations(JSON.parse(errors)),
            () => [this.ace, JSON.stringify(this.annotations)]
        );
    }

    get isTranslatable() {
        return this.props.record.fields[this.props.name].translate;
    }

    /** The editor itself; it keeps itself at its element. */
    get ace() {
        return this.root.el?.querySelector(".ace_editor")?.env?.editor;
    }

    get annotations() {
        return this.studio.errors
            .filter(({field, line}) => field === this.props.name && line)
            .map(({line, message}) => ({
                row: line - 1,
                column: 0,
                text: message,
                type: "error",
            }));
    }

    /** Make the editor one that can be entered, named and left with the keyboard. */
    equip(ace) {
        if (!ace) {
            return;
        }
        colourJinja(ace);
        const {record, name} = this.props;
        const label = record.fields[name].string;
        // Tab indents here: Enter goes in, Escape out.
        ace.setOption("enableKeyboardAccessibility", true);
        ace.renderer.scroller.setAttribute(
            "aria-label",
            _t("%s: press Enter to write, Escape to leave", label)
        );
        ace.textInput.getElement().setAttribute("aria-label", label);
        ace.on("focus", () => (this.studio.target = name));
    }

    handleChange(editedValue) {
        super.handleChange(editedValue);
        this.studio.drafts[this.props.name] = editedValue;
    }

    async commitChanges() {
        await super.commitChanges();
        delete this.studio.drafts[this.props.name];
    }

    insert(text) {
        this.ace.insert(text);
        this.ace.focus();
    }

    reveal(line) {
        this.ace.gotoLine(line || 1, 0, true);
        this.ace.scrollToLine(line - 1, true, false);
        this.ace.focus();
        this.root.el.scrollIntoView({block: "nearest"});
    }
}

export const sourceCodeField = {
    ...aceField,
    component: SourceCodeField,
    displayName: _t("Template source"),
    supportedTypes: ["text"],
};

registry.category("fields").add("marketing_source_code", sourceCodeField);
