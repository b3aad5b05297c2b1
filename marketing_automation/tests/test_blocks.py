from odoo.tests import BaseCase, tagged

from ..tools import rendering
from ..tools.blocks import (
    BLOCKS,
    CONDITIONS,
    BlockError,
    build_block,
    list_blocks,
    list_conditions,
    quote,
)

CONTEXT = {
    "customer": {"first_name": "Anna"},
    "cart": {"total_amount": 182.9, "recovery_url": "https://shop.example.com/r"},
    "coupon": {"code": "BACK", "discount": "10%"},
    "language": "hu",
    "direction": "ltr",
    "shop": {"url": "https://shop.example.com"},
    "labels": {"offers": "You might also like"},
    "segments": ["Loyal customers"],
    "product": {"price_before": "$ 9"},
    "offers": [
        {"name": f"Lamp {n}", "url": "https://x.example", "image_url": "", "price": "1"}
        for n in range(5)
    ],
}


@tagged("post_install", "-at_install")
class TestBlocks(BaseCase):
    """Blocks from a dialog: each is source that works and says what was chosen."""

    def _render(self, key, context=None, html=True, **options):
        context = context or CONTEXT
        source = build_block(key, options)
        known = ["customer.first_name", "cart.total_amount", "cart.recovery_url"]
        known += ["coupon.code", "coupon.discount", "language", "shop.url"]
        known += ["labels", "offers", "segments", "product.price_before"]
        rendering.check_source(source, known, html)
        if html:
            templates = rendering.Templates("", source)
            return rendering.render_sources(templates, context).html
        return rendering.render_text(source, context)

    def _assert_refused(self, option, fault, key, **options):
        with self.assertRaises(BlockError) as caught:
            build_block(key, options)
        self.assertEqual(
            (caught.exception.option, caught.exception.fault), (option, fault)
        )

    def test_button(self):
        html = self._render("button", label="Back", target="cart.recovery_url")
        self.assertIn('<a href="https://shop.example.com/r">Back</a>', html)
        html = self._render("button", label="Shop", target="/shop?a=1&b=2")
        self.assertIn('href="https://shop.example.com/shop?a=1&amp;b=2"', html)
        html = self._render("button", label="Us", target="https://x.example/a")
        self.assertIn('href="https://x.example/a"', html)
        text = self._render("button", html=False, label="Us", target="tel:+361")
        self.assertEqual(text.strip(), "Us: tel:+361")

    def test_button_says_what_was_typed(self):
        label = 'My "best" {{ 7*7 }} {% if %} <b>\\'
        html = self._render("button", label=label, target="https://x.example")
        self.assertIn("My &#34;best&#34; {{ 7*7 }} {% if %} &lt;b&gt;\\</a>", html)

    def test_button_refuses(self):
        self._assert_refused("label", "missing", "button", label=" ", target="shop.url")
        self._assert_refused("target", "missing", "button", label="A")
        for target in ("javascript:alert(1)", "example.com/x", "https://a b", "Shop.x"):
            self._assert_refused(
                "target", "address", "button", label="A", target=target
            )

    def test_offers(self):
        self.assertEqual(self._render("offers").count("Lamp"), 5)
        html = self._render("offers", count="2")
        self.assertEqual(html.count("Lamp"), 2)
        self.assertIn("You might also like", html)
        self.assertEqual(
            self._render("offers", {**CONTEXT, "offers": []}, count="2"), ""
        )
        for count in ("0", "17", "x"):
            self._assert_refused("count", "number", "offers", count=count)

    def test_partials(self):
        """Whatever is not written here is a partial, and there is one."""
        for key in ("cart_items", "order_summary", "product_card", "coupon", "footer"):
            self.assertEqual(build_block(key, {}), f'{{% include "{key}" %}}\n')
            rendering.check_source(build_block(key, {}), [], True)

    def test_conditions(self):
        def say(context=None, **options):
            context = {**CONTEXT, **(context or {})}
            return self._render("condition", context, then="yes", **options)

        self.assertEqual(say(condition="first_name"), "yes")
        nobody = {"customer": {"first_name": ""}}
        self.assertEqual(say(nobody, condition="first_name"), "")
        self.assertEqual(say(nobody, condition="first_name", **{"else": "no"}), "no")
        self.assertEqual(say(condition="language", language="hu"), "yes")
        self.assertEqual(say(condition="language", language="en"), "")
        self.assertEqual(say(condition="value", value="182,9"), "yes")
        self.assertEqual(say(condition="value", value="200"), "")
        self.assertEqual(say({"coupon": None}, condition="coupon"), "")
        self.assertEqual(say(condition="segment", segment="Loyal customers"), "yes")
        self.assertEqual(say(condition="segment", segment='"Others"'), "")
        self.assertEqual(say(condition="price_drop"), "yes")

    def test_conditions_refuse(self):
        self._assert_refused("condition", "missing", "condition", then="x")
        self._assert_refused("then", "missing", "condition", condition="coupon")
        self._assert_refused(
            "value", "number", "condition", condition="value", value="much", then="x"
        )
        self._assert_refused(
            "language", "missing", "condition", condition="language", then="x"
        )

    def test_what_there_is_depends_on_the_tags(self):
        contact = ["customer.first_name", "language", "segments", "recommended"]
        self.assertEqual(
            list_blocks(contact, "email"),
            ["button", "recommended", "condition", "footer", "frame"],
        )
        self.assertEqual(list_blocks(contact, "sms"), ["condition"])
        self.assertEqual(
            list_conditions(contact), ["first_name", "language", "segment"]
        )
        others = ["cart.total_amount", "coupon.code", "offers", "order.name"]
        others += ["products", "product.price_before"]
        self.assertEqual(list_blocks([*contact, *others], "email"), list(BLOCKS))
        self.assertEqual(list_conditions([*contact, *others]), list(CONDITIONS))

    def test_quote(self):
        self.assertEqual(quote('a"b\\c\nd'), '"a\\"b\\\\c d"')
