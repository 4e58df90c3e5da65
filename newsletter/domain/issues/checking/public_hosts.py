"""Which machines a link check may speak to: those of the public internet, and no others.

A link is written by anybody who contributes. If we asked for whatever it names, it could make us ask the machines
beside us (their metadata, their printers, their databases) and tell what they say. So a name is resolved once, every
address it has must be public, and that very address is connected to. Source: IANA IPv4 and IPv6 Special-Purpose
Address Registries; RFC 6052 and RFC 8215 (NAT64); RFC 2606 and RFC 6761 (reserved names).
"""

import ipaddress
import socket
from collections.abc import Callable, Sequence

#: Takes a host and a port, gives the numeric addresses of the host. Raises OSError where it has none.
Resolver = Callable[[str, int], Sequence[str]]

#: An IPv4 address inside an IPv6 one: the network behind it may be any, so none of them is asked.
_EMBEDDING = tuple(
    ipaddress.IPv6Network(each)
    for each in (
        "::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16",
        "fec0::/10",
    )
)  # fmt: skip
_SHARED = ipaddress.IPv4Network("100.64.0.0/10")
#: Names that stand for nothing on the internet.
_RESERVED = ("example", "test", "invalid", "localhost", "local", "internal", "lan", "intranet", "home.arpa", "onion")
_EXAMPLES = ("example.org", "example.com", "example.net")


class NotPublic(Exception):
    """This host is not asked; the message says why, in a sentence for editors."""


def system_resolver(host: str, port: int) -> Sequence[str]:
    """What the machine's own resolver says."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_rest, sockaddr in found))


def is_public(address: str) -> bool:
    """Whether a numeric address is that of a machine on the public internet, reached directly."""
    try:
        number = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(number, ipaddress.IPv6Address) and any(number in network for network in _EMBEDDING):
        return False
    if isinstance(number, ipaddress.IPv4Address) and number in _SHARED:
        return False
    special = number.is_multicast or number.is_reserved or number.is_unspecified or number.is_loopback
    return number.is_global and not special and not number.is_link_local and not number.is_private


def is_reserved_name(host: str) -> bool:
    """Whether a name stands for nothing that could be asked: those of examples, tests and inner networks."""
    name = host.lower().rstrip(".")
    return any(name == each or name.endswith(f".{each}") for each in (*_RESERVED, *_EXAMPLES))


def public_addresses(host: str, port: int, resolve: Resolver) -> Sequence[str]:
    """The addresses of a host, all of them public. Raises NotPublic, and OSError where the host has none.

    A host that has one address inside and one outside is refused whole: which of them answers is chance.
    """
    if is_reserved_name(host):
        raise NotPublic("This is no address of the public internet.")
    found = resolve(host, port)
    if not found:
        raise OSError("no address")
    if not all(map(is_public, found)):
        raise NotPublic("This address leads into a network of its own.")
    return found
