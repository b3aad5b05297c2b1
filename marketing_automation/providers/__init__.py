"""Email providers: values in, values out, and nothing of the ORM."""

from .address import format_mailbox
from .base import EmailProvider, OutgoingEmail, SendResult
from .sandbox import SandboxProvider
from .smtp import SmtpProvider

__all__ = [
    "EmailProvider",
    "OutgoingEmail",
    "SandboxProvider",
    "SendResult",
    "SmtpProvider",
    "format_mailbox",
]
