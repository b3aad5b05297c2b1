"""The provider of test, demo and copied databases: nothing leaves."""

from .base import ACCEPTED, Check, Provider, SendResult


class SandboxProvider(Provider):
    """Accept every message without touching the network."""

    notes_what_it_begins = True

    def send(self, batch, deadline=None):
        """Accept all; see :meth:`Provider.send`. ``ref`` is ``sandbox``."""
        return [SendResult(message.uuid, ACCEPTED, ref="sandbox") for message in batch]

    def check(self):
        """Nothing can be wrong here; see :meth:`Provider.check`."""
        return [Check("ok", "Sandbox", "Messages stay inside Odoo.")]
