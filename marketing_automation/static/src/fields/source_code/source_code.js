import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {AceField, aceField} from "@web/views/fields/ace/ace_field";
import {TranslationButton} from "@web/views/fields/translation_button";

/** The code editor, with the way to the other languages that it lacks. */
export class SourceCodeField extends AceField {
    static template = "marketing_automation.SourceCodeField";
    static components = {...AceField.components, TranslationButton};

    get isTranslatable() {
        return this.props.record.fields[this.props.name].translate;
    }
}

export const sourceCodeField = {
    ...aceField,
    component: SourceCodeField,
    displayName: _t("Template source"),
    supportedTypes: ["text"],
};

registry.category("fields").add("marketing_source_code", sourceCodeField);
