import {expect, test} from "@odoo/hoot";
import {animationFrame} from "@odoo/hoot-mock";
import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import {
    contains,
    defineModels,
    fields,
    models,
    mountView,
    onRpc,
} from "@web/../tests/web_test_helpers";

const TEXTAREA = ".o_field_widget[name='body'] textarea";

class Template extends models.Model {
    body = fields.Text();
    sms_segment_price = fields.Float();
    sms_currency_symbol = fields.Char();
    price = fields.Float();

    _records = [
        {id: 1, body: "Hi", sms_segment_price: 0.079, sms_currency_symbol: "€"},
        {id: 2, body: "Bye", price: 0.5},
        {id: 3, body: "a".repeat(1601)},
    ];
}

defineMailModels();
defineModels([Template]);
onRpc("has_group", () => true);

function mount(resId, field, extra = "") {
    return mountView({
        type: "form",
        resModel: "template",
        resId,
        resIds: [1, 2],
        arch: `<form>
            <field name="sms_segment_price" invisible="1"/>
            <field name="sms_currency_symbol" invisible="1"/>
            ${extra}${field}
        </form>`,
    });
}

const FIELD = `<field name="body" widget="marketing_sms_body"/>`;

test("length and cost follow what is typed", async () => {
    await mount(1, FIELD);
    expect(TEXTAREA).toHaveValue("Hi");
    expect(".o_marketing_sms_length").toHaveText(
        "2 characters · GSM-7 · 1 message · 158 left in the last one · 0.079 € a person"
    );
    await contains(TEXTAREA).edit("€".repeat(81), {confirm: false});
    await animationFrame();
    expect(".o_marketing_sms_length").toHaveText(
        "81 characters · GSM-7 · 2 messages · 143 left in the last one · 0.158 € a person"
    );
    expect(".o_marketing_sms_unicode").toHaveCount(0);
});

test("characters that force Unicode are shown and replaced", async () => {
    onRpc("web_save", ({args}) => {
        expect.step(args[1].body);
    });
    await mount(1, FIELD);
    await contains(TEXTAREA).edit("“Szőke”\u00a0", {confirm: false});
    await animationFrame();
    expect(".o_marketing_sms_length").toHaveText(/8 characters · UCS-2 · 1 message/);
    expect(".o_marketing_sms_unicode .badge").toHaveCount(4);
    expect(".o_marketing_sms_unicode .badge:last-of-type").toHaveText("U+00A0");
    await contains(".o_marketing_sms_unicode button").click();
    expect(TEXTAREA).toHaveValue('"Szőke" ');
    expect(".o_marketing_sms_unicode .badge").toHaveText("ő");
    expect(".o_marketing_sms_unicode button").toHaveCount(0);
    await contains(".o_form_button_save").click();
    expect.verifySteps(['"Szőke" ']);
});

test("merge tags make the length approximate", async () => {
    await mount(1, FIELD);
    await contains(TEXTAREA).edit("Hi {{ first_name }}", {confirm: false});
    await animationFrame();
    expect(".o_marketing_sms_length").toHaveText(
        /at least 3 characters · GSM-7 · at least 1 message .* at least 0.079/
    );
    await contains(TEXTAREA).edit("Hi {% if vip %}VIP{% endif %}", {confirm: false});
    await animationFrame();
    expect(".o_marketing_sms_length").toHaveText(/about 6 characters/);
    expect(".o_marketing_sms_length").toHaveText(/Merge tags are filled in/);
    expect(".o_marketing_sms_length").not.toHaveText(/left in the last one/);
});

test("a text that is too long", async () => {
    await mount(1, FIELD);
    expect(".o_marketing_sms_too_long").toHaveCount(0);
    await mount(3, FIELD);
    expect(".o_marketing_sms_too_long").toHaveText(/at most 1600 characters/);
});

test("another record, other fields, nothing to pay", async () => {
    const options = `options="{'price_field': 'price', 'currency_field': 'none'}"`;
    await mount(
        1,
        FIELD.replace("/>", ` ${options}/>`),
        '<field name="price" invisible="1"/>'
    );
    expect(".o_marketing_sms_length").not.toHaveText(/a person/);
    await contains(".o_pager_next").click();
    expect(TEXTAREA).toHaveValue("Bye");
    expect(".o_marketing_sms_length").toHaveText(/3 characters .* 0.50 a person/);
});

test("readonly", async () => {
    await mount(1, FIELD.replace("/>", ` readonly="1"/>`));
    expect(TEXTAREA).toHaveCount(0);
    expect(".o_field_widget[name='body']").toHaveText(/^Hi\s*2 characters/);
});
