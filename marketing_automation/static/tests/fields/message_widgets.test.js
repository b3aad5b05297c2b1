import {expect, test} from "@odoo/hoot";
import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import {defineModels, fields, models, mountView} from "@web/../tests/web_test_helpers";

class Message extends models.Model {
    channel = fields.Selection({
        selection: [
            ["email", "Email"],
            ["sms", "SMS"],
        ],
    });
    text = fields.Text();

    _records = [
        {id: 1, channel: "email", text: "Your cart <b>waits</b>\nReply STOP to end"},
        {id: 2, channel: "sms", text: "ő".repeat(71)},
        {id: 3},
    ];
}

defineMailModels();
defineModels([Message]);

function mountBubble(resId) {
    return mountView({
        type: "form",
        resModel: "message",
        resId,
        arch: `<form><field name="text" widget="marketing_sms_bubble" readonly="1"/></form>`,
    });
}

test("a text message shows as it is, with the number of messages", async () => {
    await mountBubble(1);
    expect(".o_marketing_sms_bubble").toHaveText(
        "Your cart <b>waits</b>\nReply STOP to end"
    );
    expect(".o_marketing_sms_bubble b").toHaveCount(0);
    expect(".o_marketing_sms_stage").toHaveText(/1 message, GSM-7/);
});

test("a long one is billed as several", async () => {
    await mountBubble(2);
    expect(".o_marketing_sms_stage").toHaveText(/2 messages, UCS-2/);
});

test("no text, no bubble", async () => {
    await mountBubble(3);
    expect(".o_marketing_sms_bubble").toHaveCount(0);
});

test("channels are icons with a name", async () => {
    await mountView({
        type: "list",
        resModel: "message",
        arch: `<list><field name="channel" widget="marketing_channel_icon"/></list>`,
    });
    expect(".o_data_row i.fa-envelope-o[aria-label='Email']").toHaveCount(1);
    expect(".o_data_row i.fa-mobile[aria-label='SMS']").toHaveCount(1);
    expect(".o_data_row i").toHaveCount(2);
});
