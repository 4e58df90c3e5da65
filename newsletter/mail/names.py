"""Asking the DNS: the one door to dnspython, which is loaded when a name is looked up.

An answer of "there is none" is an empty list. No answer at all (no network, a resolver that fails, a name server
that is silent) raises NamesUnavailable: it says nothing about the domain. Nor does the "none" of a resolver that
knows nothing beyond its own network, so before the first "none" is believed it is asked for the root of the DNS.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import NewsletterError

if TYPE_CHECKING:
    from dns.name import Name
    from dns.resolver import Resolver

_SECONDS = 5.0


class NamesUnavailable(NewsletterError):
    """The DNS could not be asked, or did not answer."""


class Names(Protocol):
    """Whoever answers for the DNS. Names without a final dot, domains in their A-label form. Each may raise
    NamesUnavailable."""

    def texts(self, name: str) -> list[str]:
        """The TXT records, the strings of each joined (RFC 7208 §3.3)."""
        ...

    def mail_servers(self, name: str) -> list[tuple[int, str]]:
        """The MX records, preference and host, the most preferred first. The host of a null MX is "" (RFC 7505)."""
        ...

    def addresses(self, name: str) -> list[str]:
        """The A and AAAA records."""
        ...


class NoNames:
    """Says of every name that it cannot be looked up, and why: nobody wants the network asked, or there is none."""

    def __init__(self, why: str) -> None:
        self._why = why

    def texts(self, name: str) -> list[str]:
        raise NamesUnavailable(self._why)

    def mail_servers(self, name: str) -> list[tuple[int, str]]:
        raise NamesUnavailable(self._why)

    def addresses(self, name: str) -> list[str]:
        raise NamesUnavailable(self._why)


class DnsNames:
    """The resolver of this machine, or the given name servers. `seconds` is the longest wait for one answer."""

    def __init__(self, resolver: "Resolver", seconds: float = _SECONDS) -> None:
        self._resolver = resolver
        self._seconds = seconds
        self._knows_the_world = False

    def texts(self, name: str) -> list[str]:
        return [b"".join(record.strings).decode("utf-8", "replace") for record in self._ask(name, "TXT")]

    def mail_servers(self, name: str) -> list[tuple[int, str]]:
        found = self._ask(name, "MX")
        return sorted((record.preference, str(record.exchange).rstrip(".").lower()) for record in found)

    def addresses(self, name: str) -> list[str]:
        return [record.address for kind in ("A", "AAAA") for record in self._ask(name, kind)]

    def _ask(self, name: str, kind: str) -> list[Any]:
        """The records, which are of a class made at run time for each kind."""
        import dns.exception
        import dns.name

        try:
            whole = dns.name.from_text(name)
        except dns.exception.DNSException:
            return []  # no name at all, so there is nothing under it
        found = self._resolve(whole, kind)
        if not found and not self._knows_the_world:
            if not self._resolve(dns.name.root, "NS"):
                raise NamesUnavailable("The resolver of this machine knows no names outside its own network")
            self._knows_the_world = True
        return found

    def _resolve(self, name: "Name", kind: str) -> list[Any]:
        import dns.exception
        import dns.resolver

        shown = name.to_text(omit_final_dot=True)
        try:
            answer = self._resolver.resolve(name, kind, raise_on_no_answer=False, lifetime=self._seconds)
        except (dns.resolver.NXDOMAIN, dns.resolver.YXDOMAIN):
            return []
        except dns.exception.Timeout:
            raise NamesUnavailable(f"No name server answered for {shown} within {self._seconds:g} seconds") from None
        except (dns.exception.DNSException, OSError):
            raise NamesUnavailable(f"The name servers gave no usable answer for {shown}") from None
        return list(answer.rrset or ())


def names_of_this_machine(nameservers: Sequence[str] | None = None, port: int = 53, seconds: float = _SECONDS) -> Names:
    """The DNS as this machine sees it, or as `nameservers` (addresses) do. NoNames without a resolver."""
    import dns.exception
    import dns.resolver

    try:
        resolver = dns.resolver.Resolver(configure=nameservers is None)
    except (dns.exception.DNSException, OSError):
        return NoNames("This machine has no resolver set up (/etc/resolv.conf)")
    if nameservers is not None:
        resolver.nameservers = list(nameservers)
        resolver.port = port
    return DnsNames(resolver, seconds)
