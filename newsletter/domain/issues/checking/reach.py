"""Asking whether a link's page is there: only its head is read, nothing is kept, nobody is told who asks.

https and http on their own ports, no name or password, no cookies; each redirect is looked at as if it were the first
address, three at most; five seconds and 64 KB for one answer, whatever the other side does. Which machines may be
asked at all is decided in `public_hosts`.
"""

import http.client
import io
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from ....i18n import gettext as _
from ....states import LinkState
from .public_hosts import NotPublic, Resolver, public_addresses, system_resolver

#: Takes a checked numeric address, a port and seconds; gives a connected socket.
Connector = Callable[[str, int, float], socket.socket]

MOST_REDIRECTS = 3
MOST_SECONDS = 5.0
MOST_BYTES = 64 * 1024
_PORTS = {"https": 443, "http": 80}
#: The page is there, for whoever it lets in: many turn away whatever is no browser.
_THERE_ALL_THE_SAME = frozenset({401, 402, 403, 405, 406, 407, 429, 451})


@dataclass(frozen=True)
class Answer:
    """What came of asking; `detail` is a sentence for editors, "" where the page is there."""

    state: LinkState
    detail: str = ""


def system_connector(address: str, port: int, seconds: float) -> socket.socket:
    """A plain connection to a numeric address."""
    return socket.create_connection((address, port), timeout=seconds)


def ask(
    url: str,
    *,
    resolve: Resolver = system_resolver,
    connect: Connector = system_connector,
    trust: ssl.SSLContext | None = None,
    seconds: float = MOST_SECONDS,
) -> Answer:
    """Whether the page of `url` is there. Blocks for `seconds` an address at most; never raises for what others do.

    `trust` are the authorities that certificates may come from, the system's when None.
    """
    for _step in range(MOST_REDIRECTS + 1):
        try:
            status, onward = _head(url, resolve, connect, trust, time.monotonic() + seconds)
        except NotPublic as error:
            return Answer(LinkState.NOT_ASKED, str(error))
        except TimeoutError:
            return Answer(LinkState.UNREACHABLE, _("Its server did not answer in time."))
        except ssl.SSLError:
            return Answer(LinkState.UNREACHABLE, _("Its certificate is not valid: browsers warn of it."))
        except socket.gaierror:
            return Answer(LinkState.UNREACHABLE, _("There is no such website."))
        except (OSError, http.client.HTTPException, ValueError):
            return Answer(LinkState.UNREACHABLE, _("Its server could not be reached."))
        if not onward:
            return _answer(status)
        url = urljoin(url, onward)
    return Answer(LinkState.UNREACHABLE, _("It leads on and on, from one address to the next."))


def _answer(status: int) -> Answer:
    if 200 <= status < 400 or status in _THERE_ALL_THE_SAME:
        return Answer(LinkState.REACHED)
    if status in (404, 410):
        return Answer(LinkState.UNREACHABLE, _("Its website says that there is no such page."))
    return Answer(LinkState.UNREACHABLE, _("Its website answered with error {status}.").format(status=status))


def _head(
    url: str, resolve: Resolver, connect: Connector, trust: ssl.SSLContext | None, deadline: float
) -> tuple[int, str]:
    """The status of one address, and where it leads on ("" where it does not)."""
    parts = urlsplit(url)
    host, port = _host(parts)
    with _connected(public_addresses(host, port, resolve), port, connect, deadline) as plain:
        plain.settimeout(_left(deadline))
        if parts.scheme == "http":
            return _exchange(plain, parts, host, deadline)
        context = trust or ssl.create_default_context()
        with context.wrap_socket(plain, server_hostname=host) as secure:
            return _exchange(secure, parts, host, deadline)


def _connected(addresses: Sequence[str], port: int, connect: Connector, deadline: float) -> socket.socket:
    """A connection to one of the checked addresses, those of IPv4 first: not every machine has IPv6."""
    first, *others = sorted(addresses, key=lambda address: ":" in address)[:2]
    if others:
        try:
            return connect(first, port, _left(deadline) / 2)
        except OSError:
            first = others[0]
    return connect(first, port, _left(deadline))


def _host(parts: SplitResult) -> tuple[str, int]:
    """The host as it is resolved, and its port. Raises NotPublic for what is never asked."""
    port = _PORTS.get(parts.scheme)
    try:
        given = parts.port
    except ValueError:
        given = -1
    if port is None or not parts.hostname or parts.username is not None or given not in (None, port):
        raise NotPublic("Only plain web addresses are asked for.")
    try:
        # The same form goes to the resolver, the certificate and the Host header.
        return parts.hostname.encode("idna").decode("ascii"), port
    except UnicodeError:
        raise NotPublic("This is no name of a website.") from None


def _exchange(connection: socket.socket, parts: SplitResult, host: str, deadline: float) -> tuple[int, str]:
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._") + (
        f"?{quote(parts.query, safe='/%:@!$&()*+,;=~?-._')}" if parts.query else ""
    )
    shown = f"[{host}]" if ":" in host else host
    request = (
        f"GET {path} HTTP/1.1\r\nHost: {shown}\r\nUser-Agent: newsletter-link-check\r\nAccept: text/html, */*\r\n"
        "Connection: close\r\n\r\n"
    )
    connection.sendall(request.encode("ascii"))
    reader = io.BytesIO(_read_head(connection, deadline))
    line = reader.readline(MOST_BYTES).decode("latin-1").split(None, 2)
    if len(line) < 2 or not line[0].startswith("HTTP/") or not line[1].isdecimal():
        raise http.client.BadStatusLine("no HTTP")
    status = int(line[1])
    headers = http.client.parse_headers(reader)
    return status, (headers.get("Location") or "").strip() if status in (301, 302, 303, 307, 308) else ""


def _read_head(connection: socket.socket, deadline: float) -> bytes:
    """Everything up to the empty line, by the deadline and within the size, however slowly it drips."""
    head = b""
    while b"\r\n\r\n" not in head and b"\n\n" not in head:
        connection.settimeout(_left(deadline))
        more = connection.recv(4096)
        if not more:
            break
        head += more
        if len(head) > MOST_BYTES:
            raise ValueError("too much")
    return head


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
