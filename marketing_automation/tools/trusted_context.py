"""What our code tells our code through the context of an environment.

Some calls go through methods of Odoo's whose parameters are not ours. Clients choose
the context of what they call over RPC, too; so only words of a type of our own count:
what comes out of JSON or XML is plain text, whatever it says. Written as JSON, in an
action that is sent to a browser, they are plain text again.
"""


class Trusted(str):
    """A word that our own code put into a context."""

    __slots__ = ()


def say(value="yes"):
    """Return a word for a context, as the value of a key.

    :param value: becomes text
    :rtype: Trusted
    """
    return Trusted(value)


def without_defaults(records):
    """Return records in a context that says nothing of what is created.

    Odoo takes values for new records from the context, before the defaults of their
    fields: what is written down as proof takes none from a client.

    :param odoo.models.Model records: in any context
    """
    context = {
        key: value
        for key, value in records.env.context.items()
        if not key.startswith("default_")
    }
    # Without these keys is meant, not with others besides.
    return records.with_context(context)  # pylint: disable=context-overridden


def heard(env, key):
    """Return what our own code said in a context.

    :param odoo.api.Environment env: whose context
    :param str key: of the context
    :return: the text; empty if nobody said so but a client
    :rtype: str
    """
    word = env.context.get(key)
    return str(word) if isinstance(word, Trusted) else ""
