"""Tag lists, ``v=DKIM1; k=rsa; p=…``, as DKIM and DMARC write them (RFC 6376 3.2)."""


def read_tags(text):
    """Read a tag list.

    :return: tag -> value, in order, without the blanks around them; None if it is no
        tag list (a part without ``=``, a tag twice)
    :rtype: dict[str, str] | None
    """
    tags = {}
    for part in text.rstrip("; \t\r\n").split(";"):
        tag, equals, value = part.partition("=")
        tag = tag.strip()
        if not equals or not tag or tag in tags:
            return None
        tags[tag] = value.strip()
    return tags
