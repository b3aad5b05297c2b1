"""What stands for an address where the address itself must not be kept."""

import hashlib


def hash_address(key, address):
    """Return the keyed digest of an address; the database makes the same one.

    Whoever has the table alone cannot try addresses against it: the key is kept
    elsewhere. (Plain SHA-256 over key and address, as PostgreSQL has no HMAC of its
    own; nobody is given digests to extend.)

    :param str key: of this database, see ``marketing.suppression._get_address_key``
    :param str address: normalized email, or number in E.164
    :return: 64 hexadecimal digits
    :rtype: str
    """
    return hashlib.sha256(f"{key}{address}".encode()).hexdigest()
