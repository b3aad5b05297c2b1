"""Providers: values in, values out, and nothing of the ORM."""

from .address import format_mailbox
from .base import Provider, OutgoingEmail, SendResult
from .sandbox import SandboxProvider
from .sendgrid import SendGridProvider
from .smtp import SmtpProvider

__all__ = [
    "Provider",
    "OutgoingEmail",
    "SandboxProvider",
    "SendGridProvider",
    "SendResult",
    "SmtpProvider",
    "format_mailbox",
]
