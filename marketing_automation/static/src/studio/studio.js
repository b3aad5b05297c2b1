/**
 * What the parts of the template screen share: what is being typed and has not reached
 * the record yet, what is wrong with it, and where the cursor was.
 */
import {reactive, toRaw, useEffect, useState} from "@odoo/owl";

const studios = new WeakMap();

/**
 * The studio of a form view.
 *
 * @param {Object} record a record of it
 * @returns {Object} `drafts`: source by field name; `errors`: dicts with `field`,
 *     `line`, `message`; `target`: name of the field that had the cursor last;
 *     `pending`: `{field, line}` to go to
 */
export function getStudio(record) {
    const model = toRaw(record.model);
    if (!studios.has(model)) {
        studios.set(
            model,
            reactive({drafts: {}, errors: [], target: "", pending: null})
        );
    }
    return studios.get(model);
}

/** The same for a component, which is drawn again when it changes. */
export function useStudio(record) {
    return useState(getStudio(record));
}

// The fields of each studio that are on the screen, by name.
const editors = new WeakMap();

function getEditors(record) {
    const model = toRaw(record.model);
    if (!editors.has(model)) {
        editors.set(model, new Map());
    }
    return editors.get(model);
}

/**
 * Take part in the studio as an editor of one field.
 *
 * @param {Object} record
 * @param {String} name of the field
 * @param {Object} editor `insert(text)` at the cursor, `reveal(line)`
 * @returns {Object} the studio
 */
export function useEditor(record, name, editor) {
    const studio = useStudio(record);
    useEffect(
        () => {
            const mounted = getEditors(record);
            mounted.set(name, editor);
            return () => mounted.delete(name);
        },
        () => []
    );
    useEffect(
        (pending) => {
            if (pending?.field === name) {
                studio.pending = null;
                editor.reveal(pending.line);
            }
        },
        () => [studio.pending]
    );
    return studio;
}

/** Go to a line of a field; its page is opened if it is not on the screen. */
export function reveal(record, field, line) {
    getStudio(record).pending = {field, line};
    if (!getEditors(record).has(field)) {
        document.querySelector(`.o_notebook .nav-link[name="${field}"]`)?.click();
    }
}

/**
 * Insert a text where the cursor was last.
 *
 * @param {Object} record
 * @param {String} text
 * @param {String} fallback name of the field for a cursor that was nowhere
 * @returns {Boolean} whether there was a place for it
 */
export function insertText(record, text, fallback) {
    const mounted = getEditors(record);
    const editor = mounted.get(getStudio(record).target) || mounted.get(fallback);
    editor?.insert(text);
    return Boolean(editor);
}

/**
 * Insert a text into the design, where its cursor is, as if it were typed.
 *
 * @param {String} text
 * @returns {Boolean} whether the designer is on the screen
 */
export function insertIntoDesign(text) {
    const frame = document.querySelector(".o_field_mass_mailing_html iframe");
    if (!frame?.contentDocument) {
        return false;
    }
    frame.contentWindow.focus();
    const oneLine = text.trim().replace(/\s*\n\s*/g, " ");
    return frame.contentDocument.execCommand("insertText", false, oneLine);
}
