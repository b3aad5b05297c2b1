/**
 * What the calculations of text message lengths in Python and in JavaScript have to
 * agree on. The tests of both read this file; below the markers it has to be JSON,
 * apart from commas at the end.
 */

// Every character that GSM-7 can write, by what it takes (3GPP TS 23.038).
// prettier-ignore
export const ALPHABET = /* JSON */ [
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà",
    "\f^{}\\[~]|€",
];

// [[piece, times]…], encoding, units, segments, remaining, characters that force UCS-2
// prettier-ignore
export const LENGTHS = /* JSON */ [
    [[], "GSM-7", 0, 0, 160, ""],
    [[["a", 1]], "GSM-7", 1, 1, 159, ""],
    [[["a", 160]], "GSM-7", 160, 1, 0, ""],
    [[["a", 161]], "GSM-7", 161, 2, 145, ""],
    [[["a", 306]], "GSM-7", 306, 2, 0, ""],
    [[["a", 307]], "GSM-7", 307, 3, 152, ""],
    [[["a", 1600]], "GSM-7", 1600, 11, 83, ""],
    [[["€", 80]], "GSM-7", 160, 1, 0, ""],
    [[["a", 159], ["€", 1]], "GSM-7", 161, 2, 145, ""],
    [[["a", 152], ["€", 1], ["a", 6]], "GSM-7", 160, 1, 0, ""],
    [[["a", 152], ["€", 1], ["a", 7]], "GSM-7", 161, 2, 144, ""],
    [[["€", 153]], "GSM-7", 306, 3, 151, ""],
    [[["\n", 2], ["[x]", 1]], "GSM-7", 7, 1, 153, ""],
    [[["ő", 1]], "UCS-2", 1, 1, 69, "ő"],
    [[["ő", 70]], "UCS-2", 70, 1, 0, "ő"],
    [[["ő", 71]], "UCS-2", 71, 2, 63, "ő"],
    [[["ő", 134]], "UCS-2", 134, 2, 0, "ő"],
    [[["ő", 135]], "UCS-2", 135, 3, 66, "ő"],
    [[["€", 69], ["ő", 1]], "UCS-2", 70, 1, 0, "ő"],
    [[["a", 69], ["😀", 1]], "UCS-2", 71, 2, 63, "😀"],
    [[["😀", 35]], "UCS-2", 70, 1, 0, "😀"],
    [[["😀", 36]], "UCS-2", 72, 2, 61, "😀"],
    [[["😀", 67]], "UCS-2", 134, 3, 65, "😀"],
    [[["a", 66], ["😀", 1], ["a", 3]], "UCS-2", 71, 2, 62, "😀"],
    [[["“Ciao” – já", 1], ["ő", 2]], "UCS-2", 13, 1, 57, "“”–áő"],
    [[["👩‍💻", 1]], "UCS-2", 5, 1, 65, "👩‍💻"],
];

// Jinja source, units of what is literal, how exact that is
// prettier-ignore
export const ESTIMATES = /* JSON */ [
    ["Hi Anna", 7, "exact"],
    ["Hi {{ first_name }}!", 4, "at_least"],
    ["{{ a }}{{ b\n}}", 0, "at_least"],
    ["{% if vip %}VIP{% endif %} {{ name }}", 4, "about"],
    ["{# note #}Hi", 2, "about"],
    ["{ a } }}", 12, "exact"],
];

// Text, the same with plain characters
// prettier-ignore
export const PLAIN = /* JSON */ [
    ["Plain [text] € é", "Plain [text] € é"],
    ["“It’s” – „so‟ — «now»…", "\"It's\" - \"so\" - \"now\"..."],
    ["10\u00a0000\u202fFt\ttab", "10 000 Ft tab"],
    ["soft\u00adhyphen\u200b", "softhyphen"],
    ["ő ş 😀 “x”", "ő ş 😀 \"x\""],
];
