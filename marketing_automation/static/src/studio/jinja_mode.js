/** Jinja in HTML, for the code editor: Odoo's mode for QWeb, and Jinja's signs. */

// What is shown is one line at a time; expressions over several are rare.
const RULES = [
    {token: "marketing_jinja_comment", regex: /\{#.*?#\}/},
    {token: "marketing_jinja_statement", regex: /\{%.*?%\}/},
    {token: "marketing_jinja_value", regex: /\{\{.*?\}\}/},
];

let mode = null;

function makeMode() {
    // By another name: these are modules of the editor's library, not of Odoo.
    const load = window.ace.require;
    const {Mode} = load("ace/mode/qweb");
    const {QWebHighlightRules} = load("ace/mode/qweb_highlight_rules");

    function JinjaHighlightRules() {
        QWebHighlightRules.call(this);
        for (const rules of Object.values(this.$rules)) {
            rules.unshift(...RULES);
        }
    }
    JinjaHighlightRules.prototype = Object.create(QWebHighlightRules.prototype);

    const jinja = new Mode();
    jinja.HighlightRules = JinjaHighlightRules;
    jinja.$id = "ace/mode/marketing_jinja";
    return jinja;
}

/**
 * Let an editor of code colour Jinja.
 *
 * @param {Object} ace its editor
 */
export function colourJinja(ace) {
    const session = ace.getSession();
    mode = mode || makeMode();
    session.setMode(mode);
    // Odoo's component sets its own one again whenever the value changes.
    session.on("changeMode", () => {
        if (session.getMode() !== mode) {
            session.setMode(mode);
        }
    });
}
