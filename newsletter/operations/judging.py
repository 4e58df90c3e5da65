"""What the signs mean: what is wrong, in a sentence, and what to do about it, in another.

One rule a function; each gives the troubles that it finds, with what each is about ("" where there is one thing only).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from .. import dates
from ..i18n import gettext as _
from ..i18n import ngettext
from ..states import TroubleKind
from . import shared_folder, totals
from .facts import size
from .signs import Signs

#: Nobody has looked round for so long: ticks come every minute.
SILENT_AFTER = timedelta(minutes=5)
#: A mail to one person is due for so long and has not left.
LATE_AFTER = timedelta(minutes=30)
#: Below this there is no room for the next issue and its answers.
LITTLE_ROOM_BYTES = 1_000_000_000
#: What two clocks may differ by before mail looks old, new or forged.
MOST_SKEW_SECONDS = 60
_HOUR = timedelta(hours=1)
_PARTS = {"worker": _("The worker"), "scheduler": _("The scheduler"), "web": _("A process of the pages")}


@dataclass(frozen=True)
class Found:
    """Something that is wrong now: `subject` tells two of one kind apart."""

    kind: TroubleKind
    subject: str
    sentence: str
    what_to_do: str


_Rule = Callable[[Signs], Iterator[Found]]


def judge(signs: Signs) -> list[Found]:
    """Everything that is wrong, the worst first."""
    return [found for rule in _RULES for found in rule(signs)]


def _workers(signs: Signs) -> Iterator[Found]:
    if not signs.living("worker"):
        yield Found(
            TroubleKind.WORKER,
            "",
            _("No worker is running: no mail leaves, and nothing happens by itself."),
            _("Start `newsletter serve`, or `newsletter worker`. What waits is sent then; nothing is lost."),
        )
        return
    for one in signs.processes:
        if one.alive or one.sign is None:
            continue
        newer = any(other.host == one.host and other.started_at > one.started_at for other in signs.living(one.part))
        if not newer:
            yield Found(
                TroubleKind.WORKER,
                f"{one.part} {one.host}",
                _PARTS[one.part]
                + _(" on %(host)s ended without taking its leave. It last said that it lives at %(moment)s.")
                % {"host": one.host, "moment": _moment(one.sign.seen_at, signs)},
                _("Start it again, and look into its log for why it ended. Others do its work meanwhile."),
            )


def _scheduler(signs: Signs) -> Iterator[Found]:
    last = signs.last(totals.JOB, "watch_over")
    if signs.living("worker") and last is not None and signs.now - last > SILENT_AFTER:
        yield Found(
            TroubleKind.SCHEDULER,
            "",
            _("Nobody has rung for what is due since %(moment)s.") % {"moment": _moment(last, signs)},
            _("Start `newsletter scheduler`, or start the worker again. What is overdue is done then, once."),
        )


def _relay(signs: Signs) -> Iterator[Found]:
    accepted = signs.last(totals.RELAY, "accepted")
    failed = [one for one in (signs.totals.get((totals.RELAY, kind)) for kind in ("down", "rejects_us")) if one]
    latest = max(failed, key=lambda one: one.at, default=None)
    if latest is not None and (accepted is None or latest.at > accepted):
        yield Found(
            TroubleKind.RELAY,
            "",
            _("The mail server took nothing when it was last tried, at %(moment)s: %(said)s")
            % {"moment": _moment(latest.at, signs), "said": latest.said or latest.label},
            _("`newsletter doctor` looks at it more closely. What waits is tried again by itself."),
        )


def _notices(signs: Signs) -> Iterator[Found]:
    due = signs.oldest_notice_due
    explained = not signs.living("worker") or any(_relay(signs))
    if due is not None and signs.now - due > LATE_AFTER and not explained:
        number = sum(signs.notices.values())
        yield Found(
            TroubleKind.NOTICES,
            "",
            ngettext("%(num)s mail to one person waits", "%(num)s mails to one person wait", number) % {"num": number}
            + _(", the oldest since %(moment)s: people wait for confirmations.") % {"moment": _moment(due, signs)},
            _("Look at Settings → Notices for what the mail server says, and at the worker’s log."),
        )


def _mailbox(signs: Signs) -> Iterator[Found]:
    source = signs.mail_source
    if source is None or not source.problem:
        return
    said = _("The mailbox that bounces, complaints and news come to cannot be read: %(problem)s")
    since = _(" It last could be at %(moment)s.") % {"moment": _moment(source.worked_at, signs)}
    yield Found(
        TroubleKind.MAILBOX,
        source.name[:255],
        said % {"problem": f"{source.problem.rstrip('.')}."} + (since if source.worked_at else ""),
        _("See NEWSLETTER_INBOUND_URL. Nothing is lost: what waits there is read when it works again. Until then,"
          " people who complain stay on the list."),
    )  # fmt: skip


def _disks(signs: Signs) -> Iterator[Found]:
    least: dict[str, int] = {}
    for one in signs.processes:
        if one.alive and one.sign is not None:
            least[one.host] = min(one.sign.disk_free, least.get(one.host, one.sign.disk_free))
    for host, free in sorted(least.items()):
        if free < LITTLE_ROOM_BYTES:
            yield Found(
                TroubleKind.DISK,
                host,
                _("The disk of %(host)s has %(size)s left.") % {"host": host, "size": size(free)},
                _("Make room for its data directory. Below 50 MB nothing is sent, since it could not be recorded."),
            )


def _clocks(signs: Signs) -> Iterator[Found]:
    for one in signs.processes:
        if one.alive and one.sign is not None and abs(one.sign.clock_ahead) > MOST_SKEW_SECONDS:
            seconds = one.sign.clock_ahead
            words = _("The clock of %(host)s is %(seconds)d seconds ahead of the database’s.")
            if seconds < 0:
                words = _("The clock of %(host)s is %(seconds)d seconds behind the database’s.")
            yield Found(
                TroubleKind.CLOCK,
                one.host,
                words % {"host": one.host, "seconds": abs(seconds)},
                _("Set the clocks by NTP: deadlines, links and the dates of mails follow them."),
            )


def _jobs(signs: Signs) -> Iterator[Found]:
    for (name, label), failed in sorted(signs.totals.items()):
        done = signs.last(totals.JOB, label)
        if name == totals.JOB_FAILED and (done is None or failed.at > done):
            yield Found(
                TroubleKind.JOB,
                label,
                _("The job %(job)s failed at %(moment)s and has not succeeded since (%(said)s).")
                % {"job": label, "moment": _moment(failed.at, signs), "said": failed.said},
                _("The worker’s log says where. It is tried again at each tick; if it goes on, report a fault."),
            )


def _backup(signs: Signs) -> Iterator[Found]:
    if not signs.backup_hours:
        return
    last = signs.last(totals.BACKUP, "")
    if last is None or signs.now - last > signs.backup_hours * _HOUR:
        when = _("The last backup was made at %(moment)s.") % {"moment": _moment(last, signs)}
        yield Found(
            TroubleKind.BACKUP,
            "",
            when if last else _("No backup has been made yet."),
            _("Make one with `newsletter backup`. There should be one every %(hours)d hours (NEWSLETTER_BACKUP_HOURS).")
            % {"hours": signs.backup_hours},
        )


def _imports(signs: Signs) -> Iterator[Found]:
    folders = shared_folder.by_name(signs)
    if len(folders) > 1:
        parted = _(" and ").join(", ".join(hosts) for hosts in folders.values())
        yield Found(
            TroubleKind.JOB,
            "imports",
            _("%(hosts)s have folders of imports of their own: what is uploaded on one cannot be read on the other, and"
              " whoever is forgotten stays in the other’s reports.") % {"hosts": parted},
            _("Make the folder “imports” of every data directory the same one, on a network disk that knows flock."),
        )  # fmt: skip


_RULES: tuple[_Rule, ...] = (
    _workers,
    _scheduler,
    _relay,
    _disks,
    _notices,
    _mailbox,
    _clocks,
    _jobs,
    _imports,
    _backup,
)


def _moment(moment: datetime | None, signs: Signs) -> str:
    return dates.moment(moment, signs.timezone) if moment else ""
