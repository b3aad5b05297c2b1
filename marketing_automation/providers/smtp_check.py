"""What a connection test of a mail server found out, in words."""

import smtplib
import socket
import ssl

from .base import Check
from .smtp_session import clean

MEGABYTE = 1_000_000


def describe_problem(outage):
    """Say what is wrong with an account and what to do.

    :param Outage outage: raised when connecting; its cause is what was raised there
    :rtype: Check
    """
    error = outage.__cause__
    if outage.reason == "auth_failed":
        advice = "The server refuses the login: check user name and password."
        return Check("problem", "Login", clean(f"{advice} {outage.detail}"))
    for kinds, subject, advice in _ADVICE:
        if isinstance(error, kinds):
            return Check("problem", subject, clean(f"{advice} {outage.detail}"))
    if error is None:
        return Check("problem", "Connection", "Sending is switched off here.")
    # An error of Odoo: its text is meant for people.
    return Check("problem", "Connection", outage.detail)


# The first that fits counts.
_ADVICE = [
    (
        ssl.SSLCertVerificationError,
        "TLS",
        "The certificate of the server is not trusted: use the name that stands in the "
        "certificate, or an encryption without validation.",
    ),
    (
        ssl.SSLError,
        "TLS",
        "No encrypted connection comes about: port and kind of encryption do not "
        "belong together, usually SSL/TLS is 465 and STARTTLS 587.",
    ),
    (
        smtplib.SMTPNotSupportedError,
        "TLS",
        "The server does not offer what the account is set up for: STARTTLS, or a "
        "login, which many offer over an encrypted connection only.",
    ),
    (socket.gaierror, "Host", "No server has this name: check the host name."),
    (
        ConnectionRefusedError,
        "Host",
        "The host is there, but nothing answers at this port: check the port.",
    ),
    (
        TimeoutError,
        "Host",
        "No answer in time: check host and port; a firewall may be in between.",
    ),
    (
        smtplib.SMTPServerDisconnected,
        "Connection",
        "The server ends the connection at once: it may want another encryption, or "
        "refuse this host.",
    ),
    (
        smtplib.SMTPResponseException,
        "Connection",
        "The server refuses the connection.",
    ),
    (OSError, "Host", "The server cannot be reached: check host, port and network."),
]


def describe_session(connection):
    """Say what an open session offers.

    :param smtplib.SMTP connection: connected, logged in
    :rtype: list[Check]
    """
    offers = connection.esmtp_features
    size = offers.get("size", "")
    limit = int(size) // MEGABYTE if size.isdecimal() else 0
    found = [f"messages up to {limit} MB"] if limit else []
    found += [text for name, text in _OFFERS if name in offers]
    return [
        Check("ok", "Connection", "The server answers."),
        _describe_encryption(connection),
        _describe_login(connection),
        Check("ok", "Offers", ", ".join(found) or "nothing beyond plain SMTP"),
    ]


_OFFERS = [
    ("pipelining", "commands in one go (PIPELINING)"),
    ("smtputf8", "addresses in any script (SMTPUTF8)"),
]


def _describe_encryption(connection):
    version = getattr(connection.sock, "version", None)
    if version:
        return Check("ok", "TLS", f"The connection is encrypted ({version()}).")
    if "starttls" in connection.esmtp_features:
        detail = "Not encrypted, though the server offers STARTTLS: choose it."
        return Check("problem", "TLS", detail)
    detail = "Not encrypted; the server offers none. Fine on the same machine only."
    return Check("ok", "TLS", detail)


def _describe_login(connection):
    if getattr(connection, "user", None):
        return Check("ok", "Login", "The server accepts user name and password.")
    return Check("ok", "Login", "None is set up.")
