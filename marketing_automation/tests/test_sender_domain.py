"""What the DNS says about a sender's domain, asked of a real DNS server."""

import base64
from unittest.mock import patch

import dns.resolver
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from odoo.tests import BaseCase, tagged

from ..tools.sender_domain import check_sender_domain, client
from .dns_server import GARBAGE, REFUSED, SERVFAIL, SILENT, TRUNCATED, DnsServer

SHOP = "shop.example"
MX = {"MX": ["10 mail.shop.example."]}


def txt(*texts, **more):
    """The records of a name with these TXT records; each split as DNS demands."""
    chunks = [
        " ".join(f'"{text[i : i + 250]}"' for i in range(0, len(text) or 1, 250))
        for text in texts
    ]
    return {"TXT": chunks, **more}


def rsa_key(bits):
    """A public key of this size; nobody needs the private one, so there is none."""
    key = rsa.RSAPublicNumbers(65537, (1 << bits) - 1).public_key()
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


class SenderDomainCase(BaseCase):
    def check(self, zone, domain=SHOP, lifetime=2.0, **kwargs):
        """The findings by subject, each ``(status, detail)``; the last one counts."""
        with DnsServer(zone) as server:
            resolver = server.resolver(lifetime)
            found = check_sender_domain(domain, resolver=resolver, **kwargs)
        self.questions = server.questions
        for finding in found:
            self.assertIn(finding.status, ("ok", "problem", "unknown"))
            self.assertTrue(finding.detail)
        return {finding.subject: (finding.status, finding.detail) for finding in found}

    def assertFinding(self, finding, status, *words):
        self.assertEqual(finding[0], status, finding)
        for word in words:
            self.assertIn(word, finding[1])


@tagged("post_install", "-at_install")
class TestSenderDomain(SenderDomainCase):
    def test_all_is_well(self):
        zone = {
            SHOP: txt("v=spf1 include:sendgrid.net ~all", "other=1", **MX),
            "sendgrid.net": txt("v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 ~all"),
            f"s1._domainkey.{SHOP}": {"CNAME": ["s1.provider.example."]},
            "s1.provider.example": txt(f"k=rsa; t=s; p={rsa_key(2048)}"),
            f"_dmarc.{SHOP}": txt("v=DMARC1; p=quarantine"),
        }
        found = self.check(
            zone, dkim_selectors=["s1"], expected_spf=["include:sendgrid.net"]
        )
        self.assertEqual({status for status, _ in found.values()}, {"ok"}, found)
        self.assertEqual(list(found), ["SPF", "DKIM s1", "DMARC", "MX"])
        self.assertEqual(len(self.questions), len(set(self.questions)))

    def test_there_is_nothing(self):
        found = self.check({SHOP: {"NS": ["ns.shop.example."]}}, dkim_selectors=["s1"])
        self.assertFinding(found["SPF"], "problem", "Add a TXT record at shop.example")
        self.assertFinding(found["DKIM s1"], "problem", "s1._domainkey.shop.example")
        self.assertFinding(found["DMARC"], "problem", "_dmarc.shop.example", "p=none")
        self.assertFinding(found["MX"], "problem", "Add an MX record")

    def test_the_domain_does_not_exist(self):
        found = self.check({"other.example": MX})
        self.assertEqual(list(found), ["Domain"])
        self.assertFinding(found["Domain"], "problem", "does not exist")

    def test_no_domain_at_all(self):
        for domain in (
            "",
            None,
            "localhost",
            "a b.example",
            "-a.example",
            "a..example",
        ):
            with self.subTest(domain=domain):
                found = self.check({}, domain=domain)
                self.assertFinding(found["Domain"], "problem", "not a domain")
                self.assertFalse(self.questions)
        self.check({}, domain=f"{'ä' * 70}.example")
        self.assertFalse(self.questions)

    def test_a_domain_outside_ascii(self):
        zone = {"xn--bcher-kva.example": txt("v=spf1 -all", **MX)}
        found = self.check(zone, domain="Bücher.example.")
        self.assertFinding(found["SPF"], "ok")

    def test_mx(self):
        null = {"MX": ["0 ."]}
        self.assertFinding(self.check({SHOP: null})["MX"], "problem", "null MX")
        address = {"A": ["192.0.2.1"]}
        self.assertFinding(self.check({SHOP: address})["MX"], "unknown", "no MX")


@tagged("post_install", "-at_install")
class TestSenderDomainUnasked(SenderDomainCase):
    """Who gets no answer does not know, and says so."""

    def assertUnknown(self, found):
        self.assertEqual(set(found), {"SPF", "DKIM s1", "DMARC", "MX"})
        for finding in found.values():
            self.assertFinding(finding, "unknown", "Could not check")

    def test_faulty_servers(self):
        for fault in (SERVFAIL, REFUSED, TRUNCATED):
            with self.subTest(fault=fault):
                found = self.check({"*": fault}, lifetime=0.3, dkim_selectors=["s1"])
                self.assertUnknown(found)

    def test_garbage(self):
        found = self.check({"*": GARBAGE}, lifetime=0.3, dkim_selectors=["s1"])
        self.assertUnknown(found)

    def test_silence(self):
        found = self.check({"*": SILENT}, lifetime=0.1, dkim_selectors=["s1"])
        self.assertUnknown(found)
        self.assertFinding(found["SPF"], "unknown", "in time")

    def test_all_questions_together_are_bounded(self):
        selectors = [f"s{number}" for number in range(50)]
        # A silent server takes the whole time of the first questions: fifty of them
        # would take five seconds.
        with patch.object(client, "TOTAL_SECONDS", 0.3):
            found = self.check({"*": SILENT}, lifetime=0.1, dkim_selectors=selectors)
        self.assertLess(len(set(self.questions)), 20)
        self.assertEqual({status for status, _ in found.values()}, {"unknown"})
        self.assertFinding(found["MX"], "unknown", "too slowly")

    def test_no_name_server_configured(self):
        with patch.object(
            dns.resolver, "Resolver", side_effect=dns.resolver.NoResolverConfiguration
        ):
            found = check_sender_domain(SHOP, dkim_selectors=["s1"])
        self.assertEqual({finding.status for finding in found}, {"unknown"})
        self.assertIn("no name server", found[0].detail)

    def test_one_name_only(self):
        """The rest is told although one question got no answer."""
        zone = {
            SHOP: txt("v=spf1 mx -all", **MX),
            f"_dmarc.{SHOP}": SERVFAIL,
        }
        found = self.check(zone, dkim_selectors=["s1"])
        self.assertFinding(found["SPF"], "ok")
        self.assertFinding(found["DMARC"], "unknown", "_dmarc.shop.example")
        self.assertFinding(found["DKIM s1"], "problem")

    def test_an_include_without_answer(self):
        zone = {
            SHOP: txt("v=spf1 include:silent.example ~all"),
            "silent.example": SERVFAIL,
        }
        found = self.check(zone, expected_spf=["include:sendgrid.net"])
        self.assertFinding(found["SPF"], "unknown", "silent.example")


@tagged("post_install", "-at_install")
class TestSpf(SenderDomainCase):
    def assertSpf(self, record, status, *words, expected=(), **zone):
        zone = {name.replace("__", "."): found for name, found in zone.items()}
        found = self.check({SHOP: txt(record), **zone}, expected_spf=expected)
        self.assertFinding(found["SPF"], status, *words)

    def test_two_records(self):
        found = self.check({SHOP: txt("v=spf1 -all", "V=SPF1 mx -all")})
        self.assertFinding(found["SPF"], "problem", "2 SPF records", "Merge")

    def test_which_record_is_one(self):
        for record in ("v=spf10 -all", "spf1 -all", "v=spf1-all"):
            with self.subTest(record=record):
                self.assertSpf(record, "problem", "There is none")
        self.assertSpf("v=spf1", "ok", "End it with")

    def test_record_in_several_strings(self):
        addresses = " ".join(f"ip4:192.0.2.{number}" for number in range(30))
        self.assertSpf(f"v=spf1 {addresses} -all", "ok")

    def test_everybody_may_send(self):
        for term in ("+all", "all", "ALL"):
            with self.subTest(term=term):
                self.assertSpf(f"v=spf1 {term}", "problem", "everybody")
        self.assertSpf(
            "v=spf1 include:open.example -all",
            "problem",
            "everybody",
            open__example=txt("v=spf1 +all"),
        )

    def test_nothing_is_said_about_others(self):
        self.assertSpf("v=spf1 mx ?all", "ok", "End it with")

    def test_not_valid(self):
        for term in ("ip4:1.2.3", "ip6:192.0.2.1", "ipv4:192.0.2.1", "include:", "-"):
            with self.subTest(term=term):
                self.assertSpf(f"v=spf1 {term} -all", "problem", f"“{term}”")

    def test_valid(self):
        for term in (
            "a/24",
            "a:host.example/24//64",
            "ip6:2001:db8::/32",
            "?exists:%{i}._spf.example",
            "include:%{d}.example",
            "exp=why.example",
            "unknown=1",
            "ptr",
        ):
            with self.subTest(term=term):
                self.assertSpf(f"v=spf1 {term} -all", "ok")

    def test_includes_lead_nowhere(self):
        self.assertSpf("v=spf1 include:gone.example -all", "problem", "leads to no SPF")
        self.assertSpf("v=spf1 redirect=gone.example", "problem", "leads to no SPF")
        self.assertSpf("v=spf1 redirect=gone.example -all", "ok")

    def test_ten_lookups(self):
        ten = " ".join(f"a:h{number}.example" for number in range(10))
        self.assertSpf(f"v=spf1 {ten} -all", "ok", "10 of at most 10")
        self.assertSpf(f"v=spf1 {ten} mx -all", "problem", "4.6.4")
        nested = txt(f"v=spf1 {ten} -all")
        self.assertSpf(
            "v=spf1 include:nested.example -all",
            "problem",
            "4.6.4",
            nested__example=nested,
        )
        # Nothing after "all" is looked up.
        self.assertSpf(f"v=spf1 {ten} -all mx", "ok")

    def test_a_circle(self):
        self.assertSpf(f"v=spf1 include:{SHOP} -all", "problem", "4.6.4")

    def test_expected(self):
        expected = ["include:sendgrid.net"]
        sendgrid = {"sendgrid__net": txt("v=spf1 ip4:192.0.2.1 -all")}
        self.assertSpf(
            "v=spf1 mx -all", "problem", "include:sendgrid.net", expected=expected
        )
        self.assertSpf(
            "v=spf1 +include:SendGrid.net -all", "ok", expected=expected, **sendgrid
        )
        self.assertSpf(
            "v=spf1 redirect=own.example",
            "ok",
            expected=expected,
            own__example=txt("v=spf1 include:sendgrid.net -all"),
            **sendgrid,
        )


@tagged("post_install", "-at_install")
class TestDkim(SenderDomainCase):
    def assertDkim(self, record, status, *words):
        records = (record,) if isinstance(record, str) else record
        zone = {SHOP: MX, f"s1._domainkey.{SHOP}": txt(*records)}
        found = self.check(zone, dkim_selectors=[" s1 "])
        self.assertFinding(found["DKIM s1"], status, *words)

    def test_without_a_selector(self):
        for selectors in ((), ("", " ")):
            found = self.check({SHOP: MX}, dkim_selectors=selectors)
            self.assertFinding(found["DKIM"], "unknown", "Could not check", "selector")

    def test_not_a_selector(self):
        found = self.check({SHOP: MX}, dkim_selectors=["a b"])
        self.assertFinding(found["DKIM a b"], "problem", "not a selector")

    def test_size_of_keys(self):
        self.assertDkim(f"v=DKIM1; k=rsa; p={rsa_key(1024)}", "ok", "2048")
        self.assertDkim(f"v=DKIM1; p={rsa_key(768)}", "problem", "768 bits")

    def test_ed25519(self):
        # The key of RFC 8463, appendix A.2.
        key = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
        self.assertDkim(f"v=DKIM1; k=ed25519; p={key}", "ok")
        self.assertDkim("v=DKIM1; k=ed25519; p=MTIz", "problem", "damaged")

    def test_not_usable(self):
        key = rsa_key(1024)
        for record, word in (
            ("v=DKIM1; p=", "revoked"),
            (f"v=DKIM1; t=s:y; p={key}", "test"),
            (f"v=DKIM2; p={key}", "no DKIM key"),
            ("v=DKIM1; k=rsa", "no DKIM key"),
            ("hello", "no DKIM key"),
            (f"v=DKIM1; p={key[:60]}", "damaged"),
            ("v=DKIM1; p=ÄÖ!", "damaged"),
            (f"v=DKIM1; k=dsa; p={key}", "dsa"),
            ((f"p={key}", f"v=DKIM1; p={key}"), "2 TXT records"),
        ):
            with self.subTest(record=record):
                self.assertDkim(record, "problem", word)


@tagged("post_install", "-at_install")
class TestDmarc(SenderDomainCase):
    def assertDmarc(self, records, status, *words, domain=SHOP, at=SHOP):
        zone = {domain: MX, f"_dmarc.{at}": txt(*records)}
        found = self.check(zone, domain=domain)
        self.assertFinding(found["DMARC"], status, *words)

    def test_policies(self):
        for policy in ("none", "quarantine", "reject"):
            with self.subTest(policy=policy):
                self.assertDmarc([f"v=DMARC1;p={policy}"], "ok", f"p={policy}")
        self.assertDmarc(["other", "v = DMARC1 ; p = Reject ;"], "ok", "p=reject")

    def test_not_valid(self):
        for record in ("v=DMARC1", "v=DMARC1; p=block", "v=DMARC1; p=none; p=none"):
            with self.subTest(record=record):
                self.assertDmarc([record], "problem", "not valid")
        self.assertDmarc(["v=dmarc1; p=none"], "problem", "There is none")

    def test_two_records(self):
        records = ["v=DMARC1; p=none", "v=DMARC1; p=reject"]
        self.assertDmarc(records, "problem", "2 DMARC records")

    def test_inherited(self):
        news = f"news.mail.{SHOP}"
        record = "v=DMARC1; p=reject"
        self.assertDmarc([record], "ok", SHOP, "p=reject", domain=news)
        self.assertDmarc(
            [f"{record}; sp=none"], "ok", f"From {SHOP}", "p=none", domain=news
        )

    def test_a_registry_is_not_the_owner(self):
        record = "v=DMARC1; p=reject; psd=y"
        self.assertDmarc(
            [record], "problem", "none", domain="shop.co.example", at="co.example"
        )
