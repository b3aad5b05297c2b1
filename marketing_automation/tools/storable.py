"""Text that the database takes, whatever a server said."""


def make_storable(text):
    """Return a text without what PostgreSQL refuses: NUL and lone surrogates.

    :param str text: from elsewhere
    :rtype: str
    """
    return text.replace("\0", "").encode("utf-8", "replace").decode()
