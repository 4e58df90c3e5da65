"""People who sign up on the web while everything is being killed: real HTTP, one address each, and they try again."""

import itertools
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException

#: Nobody fills in a form in less.
_READING_SECONDS = 2.5
_AGAIN_SECONDS = 0.3
_PATIENCE_SECONDS = 90.0


@dataclass
class SignUpOf:
    """One person: when the site said "check your inbox", and how often they had to press."""

    address: str
    answered: float = 0.0
    presses: int = 0


class Crowd:
    """`number` people, at any of the `sites` (addresses without a slash), as `share` goes from 0 to 0.95."""

    def __init__(self, sites: list[str], number: int, share: Callable[[], float]) -> None:
        self._sites = sites
        self._share = share
        self.people = [SignUpOf(f"person{count}@agency{count % 7}.example.org") for count in range(number)]
        #: Why people had to try again: a status, or an error.
        self.refusals: Counter[str] = Counter()
        self._threads: list[threading.Thread] = []
        self._coming = threading.Thread(target=self._come, daemon=True)

    def start(self) -> None:
        self._coming.start()

    @property
    def is_done(self) -> bool:
        return not self._coming.is_alive() and not any(thread.is_alive() for thread in self._threads)

    def _come(self) -> None:
        for number, person in enumerate(self.people):
            while self._share() < 0.95 * number / len(self.people):
                time.sleep(0.02)
            thread = threading.Thread(target=self._sign_up, args=(number, person), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _sign_up(self, number: int, person: SignUpOf) -> None:
        """As a proxy before the sites would do it: where one does not answer, the next is asked."""
        sites = itertools.cycle([*self._sites[number % 2 :], *self._sites[: number % 2]])
        headers = {"X-Forwarded-For": f"198.51.{number // 250}.{number % 250}"}
        deadline = time.monotonic() + _PATIENCE_SECONDS
        token = ""
        while not person.answered and time.monotonic() < deadline:
            site = next(sites)
            try:
                if not token:
                    token = _form_token(_ask(f"{site}/subscribe", headers))
                    time.sleep(_READING_SECONDS)
                form = {"email": person.address, "lists": "safeguarding-news", "form": token}
                person.presses += 1
                if "inbox" in _ask(f"{site}/subscribe", headers, form):
                    person.answered = time.monotonic()
                else:
                    self.refusals["another page"] += 1
            except (OSError, HTTPException) as error:
                self.refusals[str(getattr(error, "code", "") or type(getattr(error, "reason", error)).__name__)] += 1
                time.sleep(_AGAIN_SECONDS)


def _form_token(page: str) -> str:
    found = re.search(r'name="form" value="([^"]+)"', page)
    if found is None:
        raise OSError("no form")
    return found[1]


def _ask(address: str, headers: dict[str, str], form: dict[str, str] | None = None) -> str:
    data = urllib.parse.urlencode(form).encode() if form else None
    request = urllib.request.Request(address, data, headers)
    with urllib.request.urlopen(request, timeout=15) as response:
        return str(response.read().decode())
