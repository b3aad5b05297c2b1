import {describe, expect, test} from "@odoo/hoot";
import {
    analyse,
    estimate,
    plainReplacements,
    toPlain,
} from "@marketing_automation/fields/sms_body/sms_length";
import {ALPHABET, ESTIMATES, LENGTHS, PLAIN} from "../sms_length_cases";

describe.current.tags("headless");

test("the alphabet of GSM-7", () => {
    const [basic, extension] = ALPHABET;
    for (let code = 0; code < 0xd800; code++) {
        const character = String.fromCharCode(code);
        const {encoding, units} = analyse(character);
        const size = basic.includes(character) ? 1 : 2;
        const known = size === 1 || extension.includes(character);
        if (encoding !== (known ? "GSM-7" : "UCS-2") || units !== (known ? size : 1)) {
            expect(character).toBe("of the other alphabet");
        }
    }
    expect(basic.length).toBe(127);
});

test("encoding, segments and room", () => {
    for (const [pieces, encoding, units, segments, remaining, characters] of LENGTHS) {
        const text = pieces.map(([piece, times]) => piece.repeat(times)).join("");
        expect(analyse(text)).toEqual({
            encoding,
            units,
            segments,
            remaining,
            unicodeCharacters: [...characters],
        });
    }
});

test("merge tags make it approximate", () => {
    for (const [source, units, accuracy] of ESTIMATES) {
        const found = estimate(source);
        expect([found.units, found.accuracy]).toEqual([units, accuracy]);
    }
});

test("plain replacements", () => {
    for (const [text, plain] of PLAIN) {
        expect(toPlain(text)).toBe(plain);
    }
    expect([...plainReplacements("“ő…”")]).toEqual([
        ["“", '"'],
        ["…", "..."],
        ["”", '"'],
    ]);
});
