/**
 * How long a text is as a text message: the same rules as in `tools/sms.py`, which
 * explains them. Both are tested with `static/tests/sms_length_cases.js`.
 */

export const GSM7 = "GSM-7";
export const UCS2 = "UCS-2";
export const MAX_CHARACTERS = 1600;

// 3GPP TS 23.038 6.2.1 and 6.2.1.1
const BASIC = new Set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
        "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
);
const EXTENSION = new Set("\f^{}\\[~]|€");
const ROOM = {[GSM7]: [160, 153], [UCS2]: [70, 67]};

const PLAIN = new Map([
    ...[..."\u2018\u2019\u201a\u201b\u2032\u2039\u203a`\u00b4"].map((c) => [c, "'"]),
    ...[..."\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb"].map((c) => [c, '"']),
    ...[..."\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2022"].map((c) => [c, "-"]),
    ...[..."\t\u00a0\u2002\u2003\u2007\u2008\u2009\u200a\u202f"].map((c) => [c, " "]),
    ...[..."\u00ad\u200b\u2060\ufeff"].map((c) => [c, ""]),
    ...[..."\u2028\u2029"].map((c) => [c, "\n"]),
    ["\u2026", "..."],
]);

const EXPRESSION = /\{\{.*?\}\}/gs;
const STATEMENT = /\{%.*?%\}|\{#.*?#\}/gs;

function sizeOf(character, encoding) {
    return encoding === GSM7 ? (EXTENSION.has(character) ? 2 : 1) : character.length;
}

/**
 * Measure a finished text.
 *
 * @param {string} text
 * @returns {{encoding: string, units: number, segments: number, remaining: number,
 *     unicodeCharacters: string[]}}
 */
export function analyse(text) {
    // Spreading a string gives whole characters, not halves of surrogate pairs.
    const characters = [...text];
    const unicodeCharacters = [...new Set(characters)].filter(
        (c) => !BASIC.has(c) && !EXTENSION.has(c)
    );
    const encoding = unicodeCharacters.length ? UCS2 : GSM7;
    const sizes = characters.map((c) => sizeOf(c, encoding));
    const [single, part] = ROOM[encoding];
    const units = sizes.reduce((sum, size) => sum + size, 0);
    const length = {encoding, units, unicodeCharacters};
    if (units <= single) {
        return {...length, segments: units ? 1 : 0, remaining: single - units};
    }
    let segments = 1;
    let used = 0;
    for (const size of sizes) {
        if (used + size > part) {
            segments += 1;
            used = 0;
        }
        used += size;
    }
    return {...length, segments, remaining: part - used};
}

/**
 * Measure a Jinja source before anything is filled in.
 *
 * @param {string} source
 * @returns {Object} what `analyse` returns for the literal text; `characters` in it;
 *     `accuracy`: "exact", "at_least" (with expressions) or "about" (with statements)
 */
export function estimate(source) {
    const literal = source.replace(STATEMENT, "");
    const text = literal.replace(EXPRESSION, "");
    let accuracy = "exact";
    if (literal !== source) {
        accuracy = "about";
    } else if (text !== literal) {
        accuracy = "at_least";
    }
    return {...analyse(text), characters: [...text].length, accuracy};
}

/**
 * The characters that force UCS-2 and have a plain form.
 *
 * @param {string} text
 * @returns {Map<string, string>} character -> plain text
 */
export function plainReplacements(text) {
    return new Map(
        analyse(text)
            .unicodeCharacters.filter((c) => PLAIN.has(c))
            .map((c) => [c, PLAIN.get(c)])
    );
}

/**
 * The text with all plain replacements made.
 *
 * @param {string} text
 * @returns {string}
 */
export function toPlain(text) {
    const replacements = plainReplacements(text);
    return [...text].map((c) => replacements.get(c) ?? c).join("");
}
