"""An IMAP server for tests that does as told, on loopback behind TLS: for what Dovecot would never do.

It knows one mailbox without keywords, as Microsoft 365 has them, and no MOVE. `said` is what clients sent.
"""

import base64
import re
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

HOST = "127.0.0.1"


@dataclass
class Mail:
    raw: bytes
    flags: set[str] = field(default_factory=set)


class ScriptedImap:
    """`token` is the access token it takes, "" for a password; `instead` answers a command's name with other words."""

    def __init__(
        self,
        context: ssl.SSLContext,
        *,
        token: str = "",
        instead: Mapping[str, str] | None = None,
        folders: bool = True,
    ) -> None:
        self._context = context
        self._token = token
        self._instead = dict(instead or {})
        self._folders = folders
        self.mails: dict[int, Mail] = {}
        self.processed: list[bytes] = []
        self.said: list[str] = []
        self.response = ""
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Waking the thread that waits for a client: closing alone does not.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                plain, _address = self._listener.accept()
            except OSError:
                return
            try:
                with self._context.wrap_socket(plain, server_side=True) as wire, wire.makefile("rwb") as file:
                    self._talk(file)
            except OSError:
                plain.close()

    def _talk(self, file) -> None:
        def say(*lines: str | bytes) -> None:
            for line in lines:
                file.write(line if isinstance(line, bytes) else line.encode() + b"\r\n")
            file.flush()

        say("* OK ready")
        while line := file.readline():
            tag, _space, command = line.decode().strip().partition(" ")
            name = command.split(" ")[1 if command.startswith("UID ") else 0].upper()
            self.said.append(command)
            if name in self._instead:
                words = self._instead[name]
                if words == "DROP":
                    return
                say(*(part.replace("TAG", tag) for part in words.split("\n")))
            elif name == "AUTHENTICATE":
                say("+ ")
                self.response = base64.b64decode(file.readline()).decode()
                if self._token and f"auth=Bearer {self._token}\x01" in self.response:
                    say(f"{tag} OK welcome")
                else:
                    say("+ " + base64.b64encode(b'{"status":"401","scope":"https://outlook.example.org"}').decode())
                    file.readline()
                    say(f"{tag} NO AUTHENTICATE failed.")
            else:
                self._answer(say, tag, name, command)
            if name == "LOGOUT":
                return

    def _answer(self, say, tag: str, name: str, command: str) -> None:
        numbers = [int(number) for number in re.findall(r"\d+", command.split(" ")[2])] if "UID " in command else []
        say(*getattr(self, f"_on_{name.lower()}", lambda *_given: ())(numbers, command))
        say(f"{tag} NO [CANNOT] not here" if name == "CREATE" else f"{tag} OK done")

    def _on_capability(self, *_given: object) -> list[str]:
        return ["* CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 UIDPLUS"]

    def _on_select(self, *_given: object) -> list[str]:
        return ["* 1 EXISTS", "* OK [PERMANENTFLAGS (\\Seen \\Deleted)] no others", "* OK [UIDVALIDITY 7] here"]

    def _on_search(self, *_given: object) -> list[str]:
        unread = [uid for uid, mail in self.mails.items() if not mail.flags & {"\\Seen", "\\Deleted"}]
        return ["* SEARCH " + " ".join(map(str, unread))]

    def _on_fetch(self, numbers: list[int], _command: str) -> list[bytes]:
        lines = []
        for uid in numbers:
            raw = self.mails[uid].raw
            about = f'* {uid} FETCH (UID {uid} INTERNALDATE "07-Dec-2026 11:00:00 +0100" BODY[]<0> {{{len(raw)}}}\r\n'
            lines.append(about.encode() + raw + b")\r\n")
        return lines

    def _on_store(self, numbers: list[int], command: str) -> list[str]:
        for uid in numbers:
            self.mails[uid].flags |= set(re.findall(r"\\\w+", command))
        return []

    def _on_list(self, *_given: object) -> list[str]:
        return ['* LIST () "/" "Processed"'] if self._folders else []

    def _on_copy(self, numbers: list[int], _command: str) -> list[str]:
        self.processed += [self.mails[uid].raw for uid in numbers]
        return []

    def _on_expunge(self, numbers: list[int], _command: str) -> list[str]:
        for uid in numbers:
            del self.mails[uid]
        return []

    def _on_logout(self, *_given: object) -> list[str]:
        return ["* BYE"]
