"""A name server of a few records on loopback (UDP), for tests of what the doctor says about domains."""

import socket
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from newsletter.mail.names import Names, names_of_this_machine

HOST = "127.0.0.1"
Zone = Mapping[tuple[str, str], Sequence[str]]


class NameServer:
    """Answers from `zone`: (name, type) to records in presentation form. Names it does not know do not exist.

    `silent` names get no answer at all; `failing` ones SERVFAIL. One that is `closed` to the world does not know the
    root either. `asked` is every question but that one, as (name, type).
    """

    def __init__(
        self, zone: Zone, *, silent: Sequence[str] = (), failing: Sequence[str] = (), closed: bool = False
    ) -> None:
        self._closed = closed
        self._zone, self._silent, self._failing = dict(zone), set(silent), set(failing)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((HOST, 0))
        self._thread = threading.Thread(target=self._serve, name="name-server")
        self.asked: list[tuple[str, str]] = []

    def names(self, seconds: float = 20.0) -> Names:
        """A resolver that asks this server alone."""
        return names_of_this_machine([HOST], self._socket.getsockname()[1], seconds)

    def _serve(self) -> None:
        while True:
            wire, client = self._socket.recvfrom(4096)
            if not wire:
                return
            query = dns.message.from_wire(wire)
            answer = self._answer(query)
            if answer is not None:
                self._socket.sendto(answer.to_wire(), client)

    def _answer(self, query: dns.message.Message) -> dns.message.Message | None:
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        if question.name == dns.name.root:
            return self._root(query)
        self.asked.append((name, kind))
        if name in self._silent:
            return None
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        if name in self._failing:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif records := self._zone.get((name, kind)):
            response.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *records))
        elif not any(known == name for known, _ in self._zone):
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response

    def _root(self, query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        if self._closed:
            response.set_rcode(dns.rcode.NXDOMAIN)
        else:
            response.answer.append(dns.rrset.from_text(".", 60, "IN", "NS", "a.root-servers.example."))
        return response

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()
