"""The whole examination: which areas are looked at, in which order, and what holds for all of them.

Nothing here writes, but for a probe that was asked for. A check that breaks is a finding and no traceback, and no
finding holds a secret.
"""

import logging
import os
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import quote, unquote, urlsplit

from flask import Flask
from sqlalchemy import select

from ..config import Settings
from ..db import db
from ..domain.issues.renditions import compile_rendition
from ..errors import Invalid, NewsletterError
from ..mail.names import Names
from ..models import Rendition
from ..tokens import unsubscribe_token
from .asking import title_of
from .database import examine_database
from .domains import examine_domains
from .findings import Area, Finding, Health
from .folder import examine_folder
from .inbound import examine_inbound
from .outside import examine_outside
from .relay import examine_relay
from .running import examine_running
from .settings import examine_set_up, examine_settings, sender_addresses

_log = logging.getLogger(__name__)
_HIDDEN = "…"


@dataclass(frozen=True)
class Step:
    """One area, and how it is looked at."""

    area: Area
    look: Callable[[], Iterable[Finding]]


class Examination:
    """An examination of `app`, inside whose context it runs. `clock` gives the time now (aware UTC).

    With `offline` nothing is asked over the network: those areas are unknown.
    """

    def __init__(self, app: Flask, *, clock: Callable[[], datetime], names: Names, offline: bool = False) -> None:
        self._app = app
        self._settings: Settings = app.config["NEWSLETTER"]
        self._clock = clock
        self._names = names
        self._offline = offline
        self._readable = False

    def steps(self) -> list[Step]:
        """What is looked at, in order: later areas read the database only if an earlier one found that they can."""
        return [
            Step(Area.DATA, self._data),
            Step(Area.SETTINGS, self._set_up),
            Step(Area.RUNNING, self._running),
            Step(Area.NAMES, self._online(Area.NAMES, self._domains)),
            Step(Area.RELAY, self._online(Area.RELAY, self._relay)),
            Step(Area.INBOUND, self._online(Area.INBOUND, self._inbound)),
            Step(Area.OUTSIDE, self._online(Area.OUTSIDE, self._outside)),
        ]

    def run(self, step: Step) -> list[Finding]:
        """The findings of one step. Never raises."""
        return guarded(step.area, step.look, self._settings)

    def _online(self, area: Area, look: Callable[[], Iterable[Finding]]) -> Callable[[], Iterable[Finding]]:
        if not self._offline:
            return look
        return lambda: [Finding(area, Health.UNKNOWN, "Not looked at, since nothing was to be asked (--offline).")]

    def _data(self) -> Iterator[Finding]:
        yield from examine_folder(self._settings)
        notes, self._readable = examine_database(self._settings, self._clock)
        yield from notes

    def _set_up(self) -> Iterator[Finding]:
        yield from examine_settings(self._settings, os.environ)
        if self._readable:
            yield from examine_set_up()
        db.session.rollback()

    def _running(self) -> Iterable[Finding]:
        if not self._readable:
            return [Finding(Area.RUNNING, Health.UNKNOWN, "What runs stands in the database; see above.")]
        return examine_running(self._settings, self._clock())

    def _domains(self) -> Iterable[Finding]:
        if not self._readable:
            return [Finding(Area.NAMES, Health.UNKNOWN, "The senders' domains stand in the database; see above.")]
        senders = sender_addresses()
        db.session.rollback()
        return examine_domains(senders, self._settings.bounce_domain, self._names)

    def _relay(self) -> Iterable[Finding]:
        largest = self._size_of_newest_issue() if self._readable else None
        return examine_relay(self._app.extensions["newsletter_relay"], self._clock(), largest=largest)

    def _size_of_newest_issue(self) -> int | None:
        rendition = db.session.scalar(select(Rendition).order_by(Rendition.id.desc()).limit(1))
        try:
            return len(compile_rendition(rendition, date=self._clock()).as_eml()) if rendition else None
        except (Invalid, ValueError, KeyError):
            return None
        finally:
            db.session.rollback()

    def _inbound(self) -> Iterable[Finding]:
        return examine_inbound(self._settings, self._clock(), readable=self._readable)

    def _outside(self) -> Iterable[Finding]:
        title = own_title(self._app) if self._readable else ""
        return examine_outside(self._settings, self._clock, own_title=title)


def own_title(app: Flask) -> str:
    """The title of our page for an unsubscribe link that nobody has; "" where we cannot make it ourselves."""
    settings: Settings = app.config["NEWSLETTER"]
    parts = urlsplit(settings.public_url)
    token = unsubscribe_token(settings.secret_keys, uuid.uuid4())
    answer = app.test_client().post(
        f"/u/{token}", data={"List-Unsubscribe": "One-Click"}, base_url=f"{parts.scheme}://{parts.netloc}"
    )
    return title_of(answer.get_data()) if answer.status_code < 500 else ""


def guarded(area: Area, look: Callable[[], Iterable[Finding]], settings: Settings) -> list[Finding]:
    """What `look` finds, without secrets. What it raises becomes a finding too, be it a refusal or a fault of ours."""
    found: list[Finding] = []
    try:
        found.extend(look())
    except NewsletterError as error:
        found.append(Finding(area, Health.WRONG, str(error)))
    except Exception as error:  # a doctor that dies of one check tells nothing of the others
        _log.debug("A check of %s failed", area, exc_info=True)
        what = f"A check failed by a fault of this program ({type(error).__name__})."
        found.append(Finding(area, Health.UNKNOWN, what, "Please report it, with the output of --json."))
    secrets = _secrets(settings)
    return [
        replace(one, sentence=_without(secrets, one.sentence), what_to_do=_without(secrets, one.what_to_do))
        for one in found
    ]


def _without(secrets: list[str], text: str) -> str:
    for secret in secrets:
        text = text.replace(secret, _HIDDEN)
    return text


def _secrets(settings: Settings) -> list[str]:
    """What no finding may hold, in every form in which it might come back, the longest first."""
    found = {
        *settings.secret_keys,
        settings.oauth_client_secret or "",
        settings.oidc_client_secret or "",
        settings.metrics_token or "",
    }
    for url in (settings.database_url, settings.relay_url, settings.inbound_url):
        password = urlsplit(url or "").password or ""
        found |= {password, unquote(password), quote(unquote(password))}
    return sorted((secret for secret in found if len(secret) > 2), key=len, reverse=True)
