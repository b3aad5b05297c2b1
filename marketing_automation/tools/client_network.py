"""Who sends a request, as far as it can be told without a name."""

import ipaddress

# What one subscriber of an access provider gets (RFC 6177).
SUBSCRIBER_BITS = 64


def get_network(ip):
    """Return what to count requests of one visitor by.

    :param str ip: address of the client; may be anything
    :return: the IPv4 address, the network of an IPv6 one; '' if it is neither
    :rtype: str
    """
    try:
        address = ipaddress.ip_address((ip or "").partition("%")[0])
    except ValueError:
        return ""
    if address.version == 6 and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address.version == 4:
        return str(address)
    network = ipaddress.ip_network((address, SUBSCRIBER_BITS), strict=False)
    return str(network)
