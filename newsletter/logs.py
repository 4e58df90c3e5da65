"""Logs: one line an event on standard error, as text or as JSON, with what it belongs to; never with a person.

Every module logs through `logging.getLogger(__name__)`; structlog, whose formatter is put in place here, adds what
`about` said (the request, the job) and writes the line. Readers and staff are named by number. As a last wall, whatever
looks like an address or a key of a link is taken out of each line and each traceback (OWASP ASVS 5.0, 16.2.5).
"""

import logging
import re
import secrets
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

FORMATS = ("text", "json")
LEVELS = ("warning", "info", "error")

#: What other programs (proxies) may call a request: nothing that could be mistaken for more than one word of a line.
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_ADDRESS = re.compile(r"[^\s<>()\[\]{}\"',;:=|/“”‘’]+@[^\s<>()\[\]{}\"',;:=|/“”‘’]+")
#: The keys of our links are base64url, and such of 128 bits have 22 characters.
_LONG_WORD = re.compile(r"(?<![\w-])[A-Za-z0-9_-]{20,}(?:\.[A-Za-z0-9_-]+)*")
_HIDDEN = "…"
#: What structlog adds to an event and what people read first stands at the front of a text line.
_NOT_BEHIND = frozenset({"event", "level", "logger", "timestamp", "exception"})

_Event = MutableMapping[str, Any]
_belongs_to: ContextVar[Mapping[str, str]] = ContextVar("belongs_to", default=MappingProxyType({}))


def configure(form: str, level: str) -> None:
    """Have every log line of this process written to standard error as `form`, from `level` on.

    Only our own modules go below "warning": what libraries tell of in detail may hold what people typed.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(form))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.ERROR if level == "error" else logging.WARNING)
    logging.getLogger("newsletter").setLevel(level.upper())


def formatter(form: str) -> logging.Formatter:
    """What writes a line as `form`, one of FORMATS."""
    # Here: whoever only asks for --help is spared it, and what it looks for on this machine.
    from structlog import processors, stdlib

    last = processors.JSONRenderer(ensure_ascii=False) if form == "json" else _as_text
    return stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            _with_what_it_belongs_to,
            stdlib.add_log_level,
            stdlib.add_logger_name,
            processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[
            stdlib.ProcessorFormatter.remove_processors_meta,
            processors.format_exc_info,
            _without_people,
            last,
        ],
    )


@contextmanager
def about(**values: str) -> Iterator[None]:
    """Within this block, and in what it calls, every log line has these values beside what it says."""
    token = _belongs_to.set({**_belongs_to.get(), **values})
    try:
        yield
    finally:
        _belongs_to.reset(token)


def begin(**values: str) -> None:
    """Something new begins on this thread (a request): its log lines have these values and no others."""
    _belongs_to.set(values)


def known(name: str) -> str:
    """What log lines have under `name` at this moment, or ""."""
    return _belongs_to.get().get(name, "")


def new_id() -> str:
    """A name for a request or a job: 16 hex digits, which mean nothing."""
    return secrets.token_hex(8)


def request_id(proposed: str | None) -> str:
    """`proposed` where it can be a request's name (8 to 64 letters, digits, ".", "_", "-"), else a new one."""
    return proposed if proposed and _REQUEST_ID.fullmatch(proposed) else new_id()


def without_people(text: str) -> str:
    """The text with "…" for every email address, and for every word that may be the key of a link."""
    return _LONG_WORD.sub(_hide_key, _ADDRESS.sub(_HIDDEN, text))


def _hide_key(found: re.Match[str]) -> str:
    word = found.group()
    mixed = any(c.islower() for c in word) and any(c.isupper() for c in word) and any(c.isdigit() for c in word)
    return _HIDDEN if mixed else word


def _with_what_it_belongs_to(_logger: Any, _name: str, event: _Event) -> _Event:
    event.update(_belongs_to.get())
    return event


def _without_people(_logger: Any, _name: str, event: _Event) -> _Event:
    for name, value in event.items():
        if isinstance(value, str) and name not in ("request_id", "job_id"):
            event[name] = without_people(value)
    return event


def _as_text(_logger: Any, _name: str, event: _Event) -> str:
    line = f"{str(event['level']).upper()} {event['logger']}: {event['event']}"
    behind = " ".join(f"{name}={value}" for name, value in event.items() if name not in _NOT_BEHIND)
    exception = event.get("exception")
    return line + (f" [{behind}]" if behind else "") + (f"\n{exception}" if exception else "")
