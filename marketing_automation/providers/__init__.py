"""Providers: values in, values out, and nothing of the ORM."""

from .address import format_mailbox
from .base import Provider, OutgoingEmail, SendResult
from .sandbox import SandboxProvider
from .smtp import SmtpProvider

__all__ = [
    "Provider",
    "OutgoingEmail",
    "SandboxProvider",
    "SendResult",
    "SmtpProvider",
    "format_mailbox",
]
