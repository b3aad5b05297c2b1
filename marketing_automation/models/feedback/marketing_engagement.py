from datetime import timedelta

from odoo import api, fields, models, tools
from odoo.tools import SQL
from odoo.tools.misc import hmac

from ...tools import clients
from ...tools.masking import mask_tokens

MAX_LENGTH = 500
# What a person replied, see DeliveryEvent.
MAX_DETAIL = 1600
# Nobody opens a message or follows a link in it that soon after it was handed over.
SCANNER_SECONDS = 3
# Nobody follows different links of one message that soon one after the other.
BURST = timedelta(seconds=2)
# What the scheduled action looks at again.
LOOK_BACK = timedelta(minutes=15)
# What scanners do too; the rest is known from the provider or proven otherwise.
SCANNED_KINDS = ("open", "click")
# What is done again that soon, with the same link, is counted on the row there is:
# whoever has an address of ours can call it without end.
REPEATED = {"unsubscribe": timedelta(days=1)}
REPEATED_AT_ONCE = timedelta(minutes=1)


class MarketingEngagement(models.Model):
    """What people did with a message. Rows are added and never changed, but for clicks
    that turn out to have been part of a burst.
    """

    _name = "marketing.engagement"
    _description = "Message Engagement"
    _order = "occurred_at desc, id desc"
    _rec_name = "kind"
    _log_access = False

    message_id = fields.Many2one(
        "marketing.message",
        required=True,
        readonly=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(
        related="message_id.company_id", store=True, readonly=True
    )
    kind = fields.Selection(
        [
            ("open", "Open"),
            ("click", "Click"),
            ("unsubscribe", "Unsubscribe"),
            ("complaint", "Complaint"),
            ("bounce", "Bounce"),
            ("reply", "Reply"),
        ],
        required=True,
        readonly=True,
    )
    occurred_at = fields.Datetime(string="When", required=True, readonly=True)
    url = fields.Char(string="Link", readonly=True)
    label = fields.Char(
        string="Link Text", readonly=True, help="What the link showed in the message."
    )
    position = fields.Integer(
        readonly=True, aggregator=None, help="Place of the link in the message, from 1."
    )
    detail = fields.Char(
        readonly=True, help="What the mail server said, or what was replied."
    )
    user_agent = fields.Char(readonly=True)
    device = fields.Selection(
        [
            ("desktop", "Computer"),
            ("mobile", "Phone"),
            ("tablet", "Tablet"),
            ("other", "Unknown"),
        ],
        readonly=True,
    )
    client = fields.Char(
        string="Program", readonly=True, help="Mail program or browser, where known."
    )
    country_id = fields.Many2one(
        "res.country",
        readonly=True,
        help="Where the request came from, if Odoo has a GeoIP database.",
    )
    is_machine = fields.Boolean(
        string="Machine",
        readonly=True,
        help="A scanner or robot, not the person: kept, but not counted.",
    )
    machine_reason = fields.Selection(
        [
            ("head", "Asked only whether the page is there"),
            ("prefetch", "Fetched ahead by a mail program or browser"),
            ("agent", "Known scanner or robot"),
            ("too_fast", "Faster after delivery than anybody reads"),
            ("burst", "Several links at once"),
            ("provider", "The provider says so"),
        ],
        string="Why a Machine",
        readonly=True,
    )
    repeat_count = fields.Integer(
        string="Repeated",
        readonly=True,
        help="How often the same was done again within a minute; of unsubscribing, "
        "within a day.",
    )
    provider_id = fields.Many2one(
        "marketing.provider",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="Who reported it; empty if we saw it ourselves.",
    )
    external_id = fields.Char(
        string="Event ID", readonly=True, help="The provider's key of the event."
    )

    _message_idx = models.Index("(message_id, occurred_at)")
    _click_idx = models.Index("(occurred_at) WHERE kind = 'click'")
    _open_idx = models.Index("(occurred_at) WHERE kind = 'open'")
    _external_id_uniq = models.UniqueIndex(
        "(provider_id, external_id) WHERE external_id IS NOT NULL",
        "A provider's event is recorded once.",
    )

    # === RECORDING ===#

    @api.model
    def _record(
        self,
        token,
        kind,
        url=None,
        label=None,
        position=None,
        user_agent=None,
        country_code=None,
        machine_reason=None,
    ):
        """Record that something happened with a message; what is repeated at once is
        counted on the row there is.

        One statement, and another one for a burst of clicks. Opens and clicks faster
        than a person are recorded as a machine's, whoever they say they are.

        :param str token: the message's token
        :param str kind: key of ``kind``
        :param str url: the link that was followed
        :param str label: what the link showed
        :param int position: the link's place in the message, from 1
        :param str user_agent: what the browser says it is
        :param str country_code: where the request came from, ISO 3166-1, two letters
        :param str machine_reason: key of ``machine_reason`` if a machine did it
        :return: whether there is a new row
        :rtype: bool
        """
        values = {
            "kind": kind,
            "occurred_at": fields.Datetime.now(),
            "url": mask_tokens(url),
            # It may be the address itself.
            "label": mask_tokens(label),
            "position": position,
            **_describe_client(user_agent),
        }
        values = {name: _fit(value) for name, value in values.items()}
        self._flush()
        rows = self.env.execute_query(
            SQL(
                """WITH target AS (
                       SELECT m.id, m.company_id, %(reason)s AS reason,
                              %(is_burst)s AS is_burst
                         FROM marketing_message m WHERE m.token = %(token)s),
                   known AS (
                       SELECT e.id FROM target JOIN marketing_engagement e
                           ON e.message_id = target.id
                        WHERE e.kind = %(kind)s AND e.occurred_at > %(since)s
                          AND (e.url, e.position)
                              IS NOT DISTINCT FROM (%(url)s::varchar, %(position)s::int)
                          AND (e.machine_reason IS NOT DISTINCT FROM target.reason
                               OR (e.machine_reason = 'burst' AND target.is_burst))
                        ORDER BY e.id LIMIT 1),
                   counted AS (
                       UPDATE marketing_engagement e
                          SET repeat_count = COALESCE(e.repeat_count, 0) + 1
                        WHERE e.id IN (
                              -- Nobody waits to be counted.
                              SELECT same.id FROM marketing_engagement same
                               WHERE same.id IN (SELECT id FROM known)
                                 FOR UPDATE SKIP LOCKED)),
                   added AS (
                       INSERT INTO marketing_engagement (
                              message_id, company_id, country_id, is_machine,
                              machine_reason, %(columns)s)
                       SELECT target.id, target.company_id, %(country)s,
                              target.reason IS NOT NULL, target.reason, %(values)s
                         FROM target WHERE NOT EXISTS (SELECT FROM known)
                    RETURNING message_id)
                   SELECT target.id, target.is_burst
                     FROM target JOIN added ON added.message_id = target.id""",
                kind=kind,
                url=values["url"],
                position=values["position"],
                since=values["occurred_at"] - REPEATED.get(kind, REPEATED_AT_ONCE),
                columns=SQL(", ").join(SQL.identifier(name) for name in values),
                values=SQL(", ").join(SQL("%s", value) for value in values.values()),
                country=_country(country_code),
                reason=_machine_reason(machine_reason, kind, values["occurred_at"]),
                is_burst=_is_burst(values),
                token=token,
            )
        )
        self._invalidate()
        for message_id, is_burst in rows:
            if is_burst:
                self._mark_bursts(values["occurred_at"] - BURST, message_id)
        return bool(rows)

    @api.model
    def _record_events(self, rows):
        """Record what providers reported, in one statement a thousand; once each.

        Providers repeat themselves, some under another key or without one: the same
        kind at the same time with the same link is the same event.

        :param rows: ``message_id``, ``kind``, ``occurred_at``, and where known ``url``,
            ``user_agent``, ``country_code``, ``is_machine`` (the provider says so),
            ``external_id`` with ``provider_id``, ``detail``
        :type rows: list[dict]
        :return: ids of the new rows; events that were recorded before, and those of
            messages that are gone, have none
        :rtype: list[int]
        """
        self._flush()
        new = self.env.cr.execute_values(
            """INSERT INTO marketing_engagement (
                      message_id, company_id, kind, occurred_at, url, user_agent,
                      device, client, country_id, is_machine, machine_reason,
                      provider_id, external_id, detail)
               SELECT DISTINCT ON (m.id, v.kind, v.occurred_at, v.url, v.said,
                                   v.provider_id, v.machine_reason)
                      m.id, m.company_id, v.kind, v.occurred_at, v.url, v.user_agent,
                      v.device, v.client, c.id, v.machine_reason IS NOT NULL,
                      v.machine_reason, v.provider_id, v.external_id, v.detail
                 FROM (SELECT w.*, CASE WHEN w.kind = 'reply' THEN w.detail END AS said
                         FROM (VALUES %s) w (
                              message_id, kind, occurred_at, url, user_agent, device,
                              client, country_code, machine_reason, provider_id,
                              external_id, detail)) v
                 JOIN marketing_message m ON m.id = v.message_id
                 LEFT JOIN res_country c ON c.code = v.country_code
                WHERE NOT EXISTS (
                      SELECT FROM marketing_engagement e
                       WHERE e.message_id = v.message_id AND e.kind = v.kind
                         AND e.occurred_at = v.occurred_at
                         AND e.provider_id IS NOT DISTINCT FROM v.provider_id
                         AND (e.machine_reason IS NOT DISTINCT FROM v.machine_reason
                              OR e.machine_reason = 'burst')
                         AND e.url IS NOT DISTINCT FROM v.url
                         AND (v.said IS NULL OR e.detail = v.said))
                   ON CONFLICT DO NOTHING
            RETURNING id""",
            [_prepare_event(row) for row in rows],
            template="""(%(message_id)s::int, %(kind)s::varchar,
                %(occurred_at)s::timestamp, %(url)s::varchar, %(user_agent)s::varchar,
                %(device)s::varchar, %(client)s::varchar, %(country_code)s::varchar,
                %(machine_reason)s::varchar, %(provider_id)s::int,
                %(external_id)s::varchar, %(detail)s::varchar)""",
            page_size=1000,
            fetch=True,
        )
        self._invalidate()
        return [engagement_id for (engagement_id,) in new]

    @api.model
    def _cron_mark_bursts(self):
        """Look once more at the clicks of the last minutes: those that came in the very
        same instant could not see each other."""
        self._mark_bursts(fields.Datetime.now() - LOOK_BACK)

    @api.model
    def _mark_bursts(self, since, message_id=None):
        """Find clicks on different links of one message at once: that is a scanner.

        Each click looks back for itself. Clicks that are handled at the very same time
        do not see each other yet: for those it is to be run again soon afterwards.

        :param datetime since: only clicks from then on
        :param int message_id: only clicks in this message, in all messages if None
        """
        self._flush()
        self.env.execute_query(
            SQL(
                """UPDATE marketing_engagement click
                      SET is_machine = TRUE, machine_reason = 'burst'
                    WHERE click.kind = 'click' AND click.is_machine IS NOT TRUE
                      AND click.occurred_at >= %(since)s
                      AND %(which)s
                      AND EXISTS (
                          SELECT 1 FROM marketing_engagement other
                           WHERE other.message_id = click.message_id
                             AND other.kind = 'click'
                             AND (other.url, other.position)
                                 IS DISTINCT FROM (click.url, click.position)
                             AND other.occurred_at BETWEEN
                                 click.occurred_at - %(window)s
                                 AND click.occurred_at + %(window)s)
                RETURNING click.id""",
                since=since,
                which=SQL("click.message_id = %s", message_id)
                if message_id
                else SQL("TRUE"),
                window=BURST,
            )
        )
        self._invalidate()

    @api.model
    def _flush(self):
        self.env["marketing.message"].flush_model()

    @api.model
    def _invalidate(self):
        """Forget what was read before a statement wrote rows; messages count them."""
        self.invalidate_model(flush=False)
        self.env["marketing.message"].invalidate_model(flush=False)

    # === LINKS ===#

    @api.model
    @tools.ormcache(cache="stable")
    def _get_link_secret(self):
        """Return the key that signs links, of this database and this purpose alone.

        Kept as long as Odoo keeps the system parameter it is made of.

        :rtype: str
        """
        return hmac(self.sudo().env, "marketing_automation-links", "v1")


def _describe_client(user_agent):
    # Of what did not come with a request nothing is known, not even "unknown".
    device, client = clients.read_client(user_agent) if user_agent else (None, None)
    return {"user_agent": user_agent, "device": device, "client": client or None}


def _country(code):
    """SQL: a country's id, NULL if there is none of this code."""
    if not code:
        return SQL("NULL::int")
    return SQL("(SELECT c.id FROM res_country c WHERE c.code = %s)", code)


def _machine_reason(known, kind, now):
    """SQL: why a machine did it, NULL if a person did."""
    if known or kind not in SCANNED_KINDS:
        return SQL("%s::varchar", known)
    return SQL(
        "CASE WHEN COALESCE(m.sent_at, m.sending_at) > %s THEN 'too_fast' END",
        now - timedelta(seconds=SCANNER_SECONDS),
    )


def _is_burst(values):
    """SQL: whether another link of the message was clicked just before."""
    if values["kind"] != "click":
        return SQL("FALSE")
    return SQL(
        """EXISTS (SELECT 1 FROM marketing_engagement other
                    WHERE other.message_id = m.id
                      AND other.kind = 'click' AND other.occurred_at >= %s
                      AND (other.url, other.position)
                          IS DISTINCT FROM (%s::varchar, %s::int))""",
        values["occurred_at"] - BURST,
        values["url"],
        values["position"],
    )


def _prepare_event(row):
    reason = None
    if row.get("is_machine"):
        reason = "provider"
    elif row["kind"] in SCANNED_KINDS and row.get("user_agent"):
        reason = clients.get_machine_agent(row["user_agent"])
    return {
        "message_id": row["message_id"],
        "kind": row["kind"],
        "occurred_at": row["occurred_at"],
        "url": _fit(mask_tokens(row.get("url"))),
        **{k: _fit(v) for k, v in _describe_client(row.get("user_agent")).items()},
        "country_code": row.get("country_code") or None,
        "machine_reason": reason,
        "provider_id": row.get("provider_id") or None,
        "external_id": row.get("external_id") or None,
        "detail": _fit(mask_tokens(row.get("detail")), MAX_DETAIL),
    }


def _fit(value, length=MAX_LENGTH):
    """Make a text one that the database takes: not endless, no NUL."""
    if not isinstance(value, str):
        return value
    return value.replace("\0", "")[:length] or None
