import {registry} from "@web/core/registry";

const FORM = "form[name=coupon_code]";
const enter = (code) => [
    {
        trigger: `${FORM} input[name=promo]`,
        run: `edit ${code}`,
    },
    {
        trigger: `${FORM} button[type=submit]`,
        run: "click",
        expectUnloadPage: true,
    },
];

// Anna has a coupon of her own, and got hold of one that was made for Bo.
registry.category("web_tour.tours").add("marketing_automation.coupon_checkout", {
    steps: () => [
        ...enter("BACK-BOBOB-BOBOB-BOBO"),
        {
            content: "Somebody else's is refused, and the reason is given",
            trigger: ".alert-danger:contains('This coupon is personal')",
        },
        ...enter("back-anaan-anaan-anaa"),
        {
            content: "Her own is taken off, however she typed it",
            trigger: "[name=o_order_total]:contains('36.00')",
        },
        {
            content: "On to the payment",
            trigger: "a[name=website_sale_main_button]:contains('Checkout')",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "The price to pay is the one with the coupon",
            trigger: "body:has(#payment_method) [name=o_order_total]:contains('36.00')",
        },
    ],
});

// Opened through the recovery link, with a coupon.
registry.category("web_tour.tours").add("marketing_automation.greeting", {
    steps: () => [
        {
            content: "The cart says what became of the coupon",
            trigger:
                ".o_cart_recovery_notice:contains('Your coupon is in the cart: 10% off')",
        },
        {
            trigger: ".o_cart_product a:contains('Blue mug')",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "The other pages greet, too",
            trigger:
                ".o_marketing_greeting:contains('We put back into your cart: Blue mug')",
        },
        {
            trigger: ".o_marketing_greeting_coupon:contains('10% off')",
        },
        {
            content: "It can be closed",
            trigger: ".o_marketing_greeting .btn-close",
            run: "click",
        },
        {
            content: "It is gone at once",
            trigger: "body:not(:has(.o_marketing_greeting))",
        },
        {
            trigger: "header a[href='/shop/cart']:visible",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "And stays away",
            trigger: "body:has(.o_cart_product):not(:has(.o_marketing_greeting))",
        },
    ],
});
