"""What a killed process was sending: its journal says what it had begun.

What was not begun goes back into the queue, what was finished has its result, and only
the messages that its connections were busy with are uncertain. Without a journal (of
another machine, say) all of a batch is, after a while.
"""

import logging

from psycopg2 import InterfaceError, OperationalError

from odoo import api, models

from ...providers.base import SendResult
from ...tools import hand_over_journal
from .marketing_dispatcher import get_journal_folder

_logger = logging.getLogger(__name__)


class MarketingDispatcher(models.AbstractModel):
    _inherit = "marketing.dispatcher"

    @api.model
    def _take_over_lost(self):
        """Settle the batches of processes on this machine that have died."""
        hand_over_journal.take_over(
            get_journal_folder(), self.env.cr.dbname, self._settle_lost_batch
        )

    @api.model
    def _settle_lost_batch(self, batch):
        """Settle the batch of a process that has died.

        :param LostBatch batch: what its journal says
        :return: whether it is settled; otherwise its journal stays
        :rtype: bool
        """
        try:
            self._in_transaction(self._write_lost, batch)
        except (InterfaceError, OperationalError):
            raise
        except Exception:
            self._start_anew()
            _logger.exception("What a killed process left could not be settled")
            return False
        return True

    @api.model
    def _write_lost(self, batch):
        messages = self.env["marketing.message"].browse(batch.message_ids).exists()
        # Whatever happened to one since is the truth.
        mine = messages.filtered(
            lambda message: (
                message.state == "sending"
                and str(message.sending_at) == batch.claimed_at
            )
        )
        provider = self.env["marketing.provider"].browse(batch.provider_id).exists()
        if not mine or not provider:
            return
        results = {key: SendResult(*values) for key, values in batch.results.items()}
        doubt = SendResult("", "uncertain", "", "worker_lost")
        found = [
            self._get_broken_off(message._get_key(), batch.begun, results, doubt)
            for message in mine
        ]
        _logger.warning(
            "A process died while it sent %s messages: of %s the result is known, %s "
            "are uncertain, the others go back into the queue.",
            len(mine),
            len(results),
            len([result for result in found if result.status == "uncertain"]),
        )
        self._write_results(provider, found)
