"""A sign-in service for tests: gives access tokens over HTTPS, on loopback, and does as told.

with TokenServer(authority.server()) as server: …    # server.url, server.asked
"""

import json
import ssl
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs

from tests.http_server import LocalServer


@dataclass(frozen=True)
class Answer:
    """An HTTP answer: a dict is sent as JSON."""

    body: dict[str, Any] | bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class TokenServer(LocalServer):
    """Gives `token-1`, `token-2` …, each for an hour, where no `answers` are waiting. `asked` holds each form."""

    def __init__(self, tls: ssl.SSLContext | None, *answers: Answer) -> None:
        self.asked: list[dict[str, str]] = []
        self.answers = deque(answers)
        super().__init__(self._handler(), tls)
        self.url = f"https://127.0.0.1:{self.port}/token"

    def answer(self, form: dict[str, str]) -> Answer:
        """What is said to one form."""
        self.asked.append(form)
        if self.answers:
            return self.answers.popleft()
        return Answer({"access_token": f"token-{len(self.asked)}", "token_type": "Bearer", "expires_in": 3600})

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                answer = outer.answer({key: values[0] for key, values in form.items()})
                body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
                self.send_response(answer.status)
                for name, value in {"Content-Length": str(len(body)), **answer.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        return Handler
