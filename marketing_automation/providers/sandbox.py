"""The provider of test, demo and copied databases: nothing leaves."""

from .base import ACCEPTED, EmailProvider, SendResult


class SandboxProvider(EmailProvider):
    """Accept every email without touching the network."""

    def send(self, batch):
        """Accept all; see :meth:`EmailProvider.send`. ``ref`` is ``sandbox``."""
        return [SendResult(email.uuid, ACCEPTED, ref="sandbox") for email in batch]
