import {useEffect, useState} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {formatFloat} from "@web/core/utils/numbers";
import {TextField, textField} from "@web/views/fields/text/text_field";
import {useEditor} from "../../studio/studio";
import {MAX_CHARACTERS, UCS2, estimate, plainReplacements, toPlain} from "./sms_length";

/**
 * The text of a text message, with its length and cost while it is being written.
 *
 * Options: `price_field` and `currency_field` name the fields with the price of a
 * segment and the symbol of its currency; the view has to contain them for the cost to
 * be shown.
 */
export class SmsBodyField extends TextField {
    static template = "marketing_automation.SmsBodyField";
    static props = {
        ...TextField.props,
        priceField: {type: String, optional: true},
        currencyField: {type: String, optional: true},
    };
    static defaultProps = {
        ...TextField.defaultProps,
        priceField: "sms_segment_price",
        currencyField: "sms_currency_symbol",
        rowCount: 4,
    };

    setup() {
        super.setup();
        this.studio = useEditor(this.props.record, this.props.name, {
            insert: (text) => this.insert(text),
            reveal: () => this.textareaRef.el?.focus(),
        });
        // What is typed reaches the record when the field is left only.
        this.state = useState({draft: null});
        useEffect(
            () => {
                this.state.draft = null;
                delete this.studio.drafts[this.props.name];
            },
            () => [this.props.record.resId, this.value]
        );
    }

    get value() {
        return this.props.record.data[this.props.name] || "";
    }

    get text() {
        return this.state.draft ?? this.value;
    }

    get length() {
        return estimate(this.text);
    }

    get summary() {
        const {accuracy, characters, encoding, segments, remaining} = this.length;
        const parts = [
            this.qualify(accuracy, _t("%s characters", characters)),
            encoding,
            this.qualify(
                accuracy,
                segments === 1 ? _t("1 message") : _t("%s messages", segments)
            ),
        ];
        if (accuracy === "exact") {
            parts.push(_t("%s left in the last one", remaining));
        }
        const cost = this.cost;
        return cost ? [...parts, this.qualify(accuracy, cost)] : parts;
    }

    get cost() {
        const {[this.props.priceField]: price, [this.props.currencyField]: symbol} =
            this.props.record.data;
        if (!price) {
            return "";
        }
        const amount = formatFloat(price * this.length.segments, {minDigits: 2});
        return _t("%s a person", symbol ? `${amount}\u00a0${symbol}` : amount);
    }

    get approximate() {
        return this.length.accuracy !== "exact";
    }

    get tooLong() {
        return this.length.characters > MAX_CHARACTERS;
    }

    get maximum() {
        return MAX_CHARACTERS;
    }

    /** The characters that force UCS-2, in a form that can be seen. */
    get culprits() {
        const {encoding, unicodeCharacters} = this.length;
        return encoding === UCS2
            ? unicodeCharacters.map((character) => ({
                  character,
                  label: /[\p{L}\p{N}\p{P}\p{S}]/u.test(character)
                      ? character
                      : this.codePoint(character),
                  codePoint: this.codePoint(character),
              }))
            : [];
    }

    get canReplace() {
        return !this.props.readonly && plainReplacements(this.text).size > 0;
    }

    codePoint(character) {
        const hexadecimal = character.codePointAt(0).toString(16).toUpperCase();
        return `U+${hexadecimal.padStart(4, "0")}`;
    }

    qualify(accuracy, text) {
        return {
            exact: () => text,
            at_least: () => _t("at least %s", text),
            about: () => _t("about %s", text),
        }[accuracy]();
    }

    onInput(ev) {
        this.state.draft = ev.target.value;
        this.studio.drafts[this.props.name] = ev.target.value;
    }

    insert(text) {
        const textarea = this.textareaRef.el;
        textarea.focus();
        textarea.setRangeText(
            text,
            textarea.selectionStart,
            textarea.selectionEnd,
            "end"
        );
        // As if somebody had typed it.
        textarea.dispatchEvent(new InputEvent("input", {bubbles: true}));
    }

    onReplace() {
        const textarea = this.textareaRef.el;
        textarea.value = toPlain(textarea.value);
        // As if somebody had typed it and left: the record gets to know it.
        textarea.dispatchEvent(new InputEvent("input"));
        textarea.dispatchEvent(new Event("change"));
        textarea.focus();
    }
}

export const smsBodyField = {
    ...textField,
    component: SmsBodyField,
    displayName: _t("Text message"),
    supportedOptions: [
        ...textField.supportedOptions,
        {
            label: _t("Price of a segment"),
            name: "price_field",
            type: "field",
            availableTypes: ["float"],
        },
        {
            label: _t("Currency symbol"),
            name: "currency_field",
            type: "field",
            availableTypes: ["char"],
        },
    ],
    supportedTypes: ["text"],
    additionalClasses: ["o_field_text"],
    extractProps: (field, dynamicInfo) => {
        const props = textField.extractProps(field, dynamicInfo);
        const {price_field: priceField, currency_field: currencyField} = field.options;
        return {
            ...props,
            rowCount: props.rowCount || undefined,
            priceField,
            currencyField,
        };
    },
};

registry.category("fields").add("marketing_sms_body", smsBodyField);
