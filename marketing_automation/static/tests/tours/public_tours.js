import {registry} from "@web/core/registry";

// Opened through the recovery link by somebody who was never here before.
registry.category("web_tour.tours").add("marketing_automation.recovery_link", {
    steps: () => [
        {
            content: "The greeting is there",
            trigger: ".o_cart_recovery_notice:contains('Welcome back')",
        },
        {
            content: "It names what is sold no more",
            trigger: ".o_cart_recovery_notice li:contains('Old lamp')",
        },
        {
            content: "The product is in the cart, twice",
            trigger:
                ".o_cart_product:contains('Blue mug') input.js_quantity:value('2')",
        },
        {
            content: "The cart's icon counts it",
            trigger: "header .my_cart_quantity:contains('2')",
        },
        {
            content: "Touching the page tells that a person is here",
            trigger: "#shop_cart h4",
            run: "click",
        },
        {
            content: "It was sent once",
            trigger: ".o_cart_recovery_notice[data-returned]",
        },
        {
            content: "The greeting can be closed",
            trigger: ".o_cart_recovery_notice .btn-close",
            run: "click",
        },
        {
            content: "It is gone",
            trigger: "#shop_cart:not(:has(.o_cart_recovery_notice))",
        },
        {
            content: "One more of it",
            trigger: ".o_cart_product .css_quantity a[aria-label='Add one']:visible",
            run: "click",
        },
        {
            content: "The cart works like any other",
            trigger: ".o_cart_product input.js_quantity:value('3')",
        },
    ],
});

registry.category("web_tour.tours").add("marketing_automation.unsubscribe", {
    steps: () => [
        {
            content: "Asked before anything happens",
            trigger: "h1:contains('Unsubscribe')",
        },
        {
            content: "One button",
            trigger: "#wrap form button:contains('Unsubscribe')",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "Done",
            trigger: "h1:contains('You are unsubscribed')",
        },
    ],
});

registry.category("web_tour.tours").add("marketing_automation.preferences", {
    steps: () => [
        {
            content: "It says whose choices these are, and no more",
            trigger: "#wrap p:contains('a…@example.com')",
        },
        {
            content: "Nothing is on that nobody asked for",
            trigger: "#wrap form:not(:has(input[name=choice]:checked))",
        },
        {
            content: "Offers, please",
            trigger: "#wrap label[for=choice_email_offers]",
            run: "click",
        },
        {
            content: "Less often",
            trigger: "#wrap label[for=frequency_monthly]",
            run: "click",
        },
        {
            content: "That is all",
            trigger: "#wrap button:contains('Save')",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "Saved",
            trigger: "#wrap .alert-success:contains('Your choices are saved')",
        },
        {
            content: "And shown",
            trigger:
                "#wrap form:has(#choice_email_offers:checked):has(#frequency_monthly:checked)",
        },
    ],
});

registry.category("web_tour.tours").add("marketing_automation.confirm", {
    steps: () => [
        {
            content: "What would be agreed to",
            trigger: "#wrap li:contains('Newsletter')",
        },
        {
            content: "Yes",
            trigger: "#wrap button:contains('Yes, I agree')",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "Thank you",
            trigger: "h1:contains('this is confirmed')",
        },
        {
            content: "One's mind can be changed",
            trigger: "#wrap a:contains('My preferences')",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "The choice is shown",
            trigger: "#wrap form:has(#choice_email_newsletter:checked)",
        },
    ],
});

const REQUEST = "#shop_checkout form[action='/shop/consent']";

// By a customer who is logged in and whose address is known.
registry.category("web_tour.tours").add("marketing_automation.checkout_consent", {
    steps: () => [
        {
            content: "From the cart",
            trigger: "a[name=website_sale_main_button]:contains('Checkout')",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "Nothing is ticked beforehand",
            trigger: `${REQUEST}:has(#consent_cart):has(#consent_offers):not(:has(input:checked))`,
        },
        {
            content: "Remind me",
            trigger: `${REQUEST} label[for=consent_cart]`,
            run: "click",
        },
        {
            trigger: `${REQUEST}:has(#consent_cart:checked):not(:has(#consent_offers:checked))`,
        },
        {
            content: "It is not taken for one of the addresses to choose from",
            trigger: `${REQUEST}:not(.bg-400)`,
        },
        {
            trigger: `${REQUEST} button:contains('Save')`,
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "Noted",
            trigger:
                "#shop_checkout [role=status]:contains('Thank you, that is noted')",
        },
        {
            content: "Nothing is asked twice",
            trigger: "#shop_checkout:not(:has(.o_marketing_consent))",
        },
        {
            content: "On with the order",
            trigger: "a[name=website_sale_main_button]:not(.disabled):visible",
        },
    ],
});

registry.category("web_tour.tours").add("marketing_automation.checkout_goes_on", {
    steps: () => [
        {
            trigger: "a[name=website_sale_main_button]:contains('Checkout')",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: `${REQUEST} label[for=consent_cart]`,
            run: "click",
        },
        {
            content: "On to the payment, without Save",
            trigger: "a[name=website_sale_main_button]:contains('Confirm')",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "The next page",
            trigger: "body:not(:has(#shop_checkout))",
        },
    ],
});
