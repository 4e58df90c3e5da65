"""The report as rows of a spreadsheet: everything the page says, in numbers, and nobody by name."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from ... import dates
from ...domain.subscribers.exporting import csv_line
from ...i18n import gettext as _
from . import rates
from .accounts import Counts
from .reasons import plain
from .report import Report
from .report_figures import Cause, Domain, Series

_COLUMNS = ("section", "item", "people", "accepted", "refused", "bounced", "complained", "words")


def report_lines(title: str, report: Report, counts: Counts, zone: str) -> Iterator[str]:
    """The lines of a CSV file (RFC 4180), header first.

    `counts` are those of this minute, the rest is as of the report's own. Times are ISO 8601 in `zone` (an IANA
    name). What a mail server said stands in "words", unable to be a formula.
    """
    accepted = report.counts["accepted"]
    yield csv_line(_COLUMNS)
    yield _line("issue", title, report.recipients, words=_as_of(report.made_at, zone))
    yield _line("began", _iso(report.started_at, zone))
    if report.ended_at:
        took = dates.in_words((report.ended_at - report.started_at).total_seconds())
        yield _line("ended", _iso(report.ended_at, zone), words=took)
    for state, number in counts.as_dict().items():
        yield _line("accounts", state, number)
    for reason, number in report.skipped.items():
        yield _line("skipped because", reason, number)
    yield from _causes("refused because", report.refused)
    yield from _causes("put off because", report.deferred)
    for kind, number in report.came_back.items():
        yield _line("came back", kind, number)
    for name, measure in (
        ("bounces", rates.bounces(report.came_back["bounced"], accepted)),
        ("complaints", rates.complaints(report.came_back["complaint"], accepted)),
    ):
        yield _line("rate", name, measure.number, words=f"{measure.percent}. {measure.words}")
    for domain in (*report.domains, report.others):
        yield _of_domain(domain)
    yield from _series("accepted from", report.accepted, zone)
    yield from _series("unsubscribed from", report.unsubscribed, zone)


def _line(section: str, item: str, people: int | None = None, *more: int, words: str = "") -> str:
    numbers = [str(each) for each in more] or [""] * 4
    return csv_line((section, item, "" if people is None else str(people), *numbers, words))


def _causes(section: str, causes: tuple[Cause, ...]) -> Iterator[str]:
    for cause in causes:
        yield _line(section, plain(cause.code, cause.enhanced, cause.reply), cause.people, words=cause.reply)


def _of_domain(domain: Domain) -> str:
    name = domain.name or _("all other domains")
    return _line("domain", name, domain.people, domain.accepted, domain.refused, domain.bounced, domain.complained)


def _series(section: str, series: Series, zone: str) -> Iterator[str]:
    for place, number in enumerate(series.numbers):
        if number:
            yield _line(section, _iso(series.start + timedelta(seconds=place * series.seconds), zone), number)


def _iso(at: datetime, zone: str) -> str:
    return dates.local(at, zone).isoformat(timespec="seconds")


def _as_of(at: datetime, zone: str) -> str:
    return _("as of {when}").format(when=_iso(at, zone))
