"""The signs as figures for Prometheus (text format 0.0.4). Nothing in them names a person.

All of them come from the database, so every process gives the same answer and none has to be asked twice. The names
follow prometheus.io/docs/practices/naming: seconds, totals that only grow, one unit a name.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..errors import NotFound
from ..states import DeliveryState
from . import totals
from .judging import judge
from .signs import Signs

if TYPE_CHECKING:
    from prometheus_client.core import Metric

#: What an answer says of itself.
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def render(signs: Signs) -> bytes:
    """The page that is scraped. Raises NotFound, with what to install, where the extra is missing."""
    try:
        from prometheus_client import CollectorRegistry, generate_latest
    except ImportError:
        raise NotFound('Figures need their extra: pip install "newsletter[metrics]".') from None

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(signs))
    return generate_latest(registry)


class _Collector:
    """What the library asks for the families."""

    def __init__(self, signs: Signs) -> None:
        self._signs = signs

    def collect(self) -> "Iterator[Metric]":
        yield from _queues(self._signs)
        yield from _processes(self._signs)
        yield from _counts(self._signs)


def _queues(signs: Signs) -> "Iterator[Metric]":
    yield _gauge("notices_waiting", "Mails to one person that have not left", sum(signs.notices.values()))
    yield _age(signs, "oldest_notice_due_seconds", "How long the oldest of those that are due has waited",
               signs.oldest_notice_due)  # fmt: skip
    yield _age(signs, "oldest_issue_due_seconds", "How long an issue has been due that is not being sent",
               signs.oldest_issue_due)  # fmt: skip
    yield _gauge("issues_sending", "Issues that are being sent", signs.sending)
    yield _gauges("deliveries", "Recipients of all issues by state", "state",
                  {state.value: signs.deliveries.get(state, 0) for state in DeliveryState})  # fmt: skip
    yield _gauges("deliveries_per_second", "Outcomes a second, over the last minute", "state",
                  {state.value: number for state, number in signs.per_second.items()})  # fmt: skip
    source = signs.mail_source
    if source is not None:
        yield _age(signs, "mailbox_look_age_seconds", "Since the mailbox was last looked into", source.looked_at)
        yield _age(signs, "mailbox_read_age_seconds", "Since it could last be read", source.worked_at)


def _processes(signs: Signs) -> "Iterator[Metric]":
    parts = {"web": 0, "worker": 0, "scheduler": 0}
    for one in signs.processes:
        parts[one.part] = parts.get(one.part, 0) + one.alive
    yield _gauges("processes", "Processes that live, by what they are for", "part", parts)
    yield _gauge("scheduler_leader", "Whether a scheduler of its own holds the lease", int(bool(signs.leader)))
    yield _age(signs, "tick_age_seconds", "Since the scheduler last had somebody look round",
               signs.last(totals.JOB, "watch_over"))  # fmt: skip
    told = [one for one in signs.processes if one.alive and one.sign is not None]
    yield _gauges("disk_free_bytes", "Room for the data directory", "host",
                  {one.host: one.sign.disk_free for one in told if one.sign})  # fmt: skip
    yield _gauges("clock_ahead_seconds", "By how much a machine’s clock is ahead of the database’s", "host",
                  {one.host: one.sign.clock_ahead for one in told if one.sign})  # fmt: skip
    yield _age(signs, "backup_age_seconds", "Since the last backup was made", signs.last(totals.BACKUP, ""))
    kinds: dict[str, float] = {}
    for found in judge(signs):
        kinds[found.kind.value] = kinds.get(found.kind.value, 0) + 1
    yield _gauges("troubles", "What is wrong now, by kind (0 lines: nothing)", "kind", kinds)


#: By the name of what is counted: the counter of how often, and that of the seconds it took, if it takes any.
_COUNTERS = (
    (totals.JOB, "jobs", "Jobs done", "job", "job_seconds", "Seconds that jobs took"),
    (totals.JOB_FAILED, "jobs_failed", "Jobs that failed", "job", "", ""),
    (totals.JOB_WAITED, "jobs_begun", "Jobs begun", "job", "job_lag_seconds", "Seconds that jobs waited to begin"),
    (totals.RELAY, "relay_answers", "Answers of the mail server, by kind", "kind", "", ""),
)


def _counts(signs: Signs) -> "Iterator[Metric]":
    for name, counter, words, label, seconds, of_seconds in _COUNTERS:
        rows = [one for (kind, _label), one in sorted(signs.totals.items()) if kind == name]
        yield _counter(counter, words, label, {one.label: one.number for one in rows})
        if seconds:
            yield _counter(seconds, of_seconds, label, {one.label: one.total for one in rows})
    waited = {one.label: one.latest for (kind, _label), one in signs.totals.items() if kind == totals.JOB_WAITED}
    yield _gauges("job_lag_latest_seconds", "How long the latest of each job waited to begin", "job", waited)


def _gauge(name: str, words: str, value: float) -> "Metric":
    from prometheus_client.core import GaugeMetricFamily

    return GaugeMetricFamily(f"newsletter_{name}", words, value=value)


def _age(signs: Signs, name: str, words: str, moment: datetime | None) -> "Metric":
    """Seconds since then; no value where there is none, which is what an absent() rule asks for."""
    family = _gauges(name, words, "", {})
    if moment is not None:
        family.add_sample(f"newsletter_{name}", {}, (signs.now - moment).total_seconds())
    return family


def _gauges(name: str, words: str, label: str, values: dict[str, Any]) -> "Metric":
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily(f"newsletter_{name}", words, labels=[label] if label else None)
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _counter(name: str, words: str, label: str, values: dict[str, Any]) -> "Metric":
    from prometheus_client.core import CounterMetricFamily

    family = CounterMetricFamily(f"newsletter_{name}", words, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
