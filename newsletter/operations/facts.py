"""The signs as people read them: one line a part, said whether it is well or not."""

from collections.abc import Callable
from datetime import datetime, timedelta

from .. import dates
from ..i18n import gettext as _
from ..i18n import ngettext
from ..states import DeliveryState
from . import backups, totals
from .signs import ProcessFound, Signs

#: A part of the installation, and how it is.
Fact = tuple[str, str]


def facts(signs: Signs) -> list[Fact]:
    """Every part with its line, in the order in which mail comes about."""
    return [
        *([(_("Pages"), _pages(signs))] if signs.living("web") else []),
        (_("Workers"), _processes(signs.living("worker"), signs) or _("None is running")),
        (_("Last tick"), ago(signs.last(totals.JOB, "watch_over"), signs)),
        *([(_("Schedulers"), _processes(signs.living("scheduler"), signs))] if signs.living("scheduler") else []),
        (_("Mail server"), _relay(signs)),
        (_("Being sent"), _sending(signs)),
        (_("Mails to one person"), _notices(signs)),
        (_("Mailbox"), _mailbox(signs)),
        (_("Room on the disk"), _by_host(signs, lambda one: size(one.sign.disk_free) if one.sign else "")),
        (_("Clocks"), _clocks(signs)),
        *([(_("Versions"), versions(signs))] if len(versions_by_host(signs)) > 1 else []),
        (_("Last backup"), _backup(signs)),
    ]


def size(octets: int) -> str:
    """ "12.3 GB", "640 MB"."""
    return f"{octets / 1e9:.1f} GB" if octets >= 1e9 else f"{octets / 1e6:.0f} MB"


def _processes(found: list[ProcessFound], signs: Signs) -> str:
    running = [
        _("%(host)s, since %(moment)s") % {"host": one.host, "moment": dates.moment(one.started_at, signs.timezone)}
        for one in found
    ]
    return "; ".join(running)


def _pages(signs: Signs) -> str:
    """On each machine how many processes, since the last of them began."""
    by_host: dict[str, list[ProcessFound]] = {}
    for one in signs.living("web"):
        by_host.setdefault(one.host, []).append(one)
    words = []
    for host, found in sorted(by_host.items()):
        number = ngettext("%(num)s process", "%(num)s processes", len(found)) % {"num": len(found)}
        since = dates.moment(max(one.started_at for one in found), signs.timezone)
        words.append(_("%(host)s: %(number)s, since %(moment)s") % {"host": host, "number": number, "moment": since})
    return "; ".join(words)


def versions_by_host(signs: Signs) -> dict[str, set[str]]:
    """Of each version that runs, on which machines. During an upgrade there are two for a while."""
    found: dict[str, set[str]] = {}
    for one in signs.processes:
        if one.alive and one.sign is not None:
            found.setdefault(one.sign.version, set()).add(one.host)
    return found


def versions(signs: Signs) -> str:
    """ "1.4.0 on press-1, press-2; 1.5.0 on press-3"."""
    return "; ".join(
        _("%(version)s on %(hosts)s") % {"version": version, "hosts": ", ".join(sorted(hosts))}
        for version, hosts in sorted(versions_by_host(signs).items())
    )


def _backup(signs: Signs) -> str:
    last = backups.last_of(signs.totals)
    if last is None:
        return _("None yet")
    where = _(", on %(host)s") % {"host": last.host} if last.host else ""
    return ago(last.at, signs) + where + (f" ({last.path})" if last.path else "")


def _relay(signs: Signs) -> str:
    accepted = signs.totals.get((totals.RELAY, "accepted"))
    if accepted is None:
        return _("Nothing has been sent yet")
    return _("Last accepted a mail %(ago)s") % {"ago": ago(accepted.at, signs)}


def _sending(signs: Signs) -> str:
    if not signs.sending:
        return _("No issue")
    queued = signs.deliveries.get(DeliveryState.QUEUED, 0) + signs.deliveries.get(DeliveryState.CLAIMED, 0)
    words = ngettext("%(num)s issue", "%(num)s issues", signs.sending) % {"num": signs.sending}
    rate = signs.per_second.get(DeliveryState.ACCEPTED, 0.0)
    return words + _(", %(queued)s to go, %(rate).1f a second") % {"queued": f"{queued:,}", "rate": rate}


def _notices(signs: Signs) -> str:
    number = sum(signs.notices.values())
    if not number:
        return _("None waits")
    words = ngettext("%(num)s waits", "%(num)s wait", number) % {"num": number}
    if signs.oldest_notice_due is None:
        return words
    return words + _(", the oldest due %(ago)s") % {"ago": ago(signs.oldest_notice_due, signs)}


def _mailbox(signs: Signs) -> str:
    source = signs.mail_source
    if source is None:
        return _("None is read")
    return _("Last read %(ago)s") % {"ago": ago(source.worked_at, signs)}


def _clocks(signs: Signs) -> str:
    ahead = [one.sign.clock_ahead for one in signs.processes if one.alive and one.sign]
    if not ahead:
        return _("Not known")
    furthest = max(ahead, key=abs)
    return _("Agree to %(seconds).1f seconds") % {"seconds": abs(furthest)}


def _by_host(signs: Signs, words: Callable[[ProcessFound], str]) -> str:
    said = {one.host: words(one) for one in signs.processes if one.alive and one.sign}
    if len(said) == 1:
        return next(iter(said.values()))
    return "; ".join(f"{host}: {line}" for host, line in sorted(said.items())) or _("Not known")


def ago(moment: datetime | None, signs: Signs) -> str:
    """ "12 minutes ago", "at 10am, Monday 7 December 2026"; "never" for None."""
    if moment is None:
        return _("never")
    minutes = (signs.now - moment) // timedelta(minutes=1)
    if minutes < 1:
        return _("less than a minute ago")
    if minutes < 120:
        return ngettext("%(num)s minute ago", "%(num)s minutes ago", minutes) % {"num": minutes}
    return _("at %(moment)s") % {"moment": dates.moment(moment, signs.timezone)}
