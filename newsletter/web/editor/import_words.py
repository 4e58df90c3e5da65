"""What an import did, or would do, in words."""

from newsletter.domain.subscribers import import_runs
from newsletter.i18n import gettext as _
from newsletter.i18n import ngettext
from newsletter.models import ImportRun

_COUNTS = (
    ("added", _("come to the list")),
    ("asked", _("are asked to confirm")),
    ("already", _("are on the list already, and stay as they are")),
    ("left", _("have left this list: they can ask for it anew, nobody else can")),
    ("suppressed", _("are never to be written to")),
    ("kept_out", _("left the other sender, or came back there: they are written to no more")),
    ("staying", _("left the other sender, and are subscribed here since: they stay")),
    ("duplicates", _("are second lines for one address")),
    ("bad", _("cannot be used")),
)


def counts(run: ImportRun) -> list[tuple[int, str]]:
    """Each number that is not nought, and what it means."""
    words = dict(_COUNTS)
    if run.ask_them and import_runs.is_look(run):
        words["added"] = words["asked"]
    return [(run.counts[name], each) for name, each in words.items() if run.counts.get(name)]


def looked_words(run: ImportRun) -> str:
    """What would be done, in one sentence."""
    number = run.counts.get("added", 0)
    if run.ask_them:
        sentence = ngettext("%(num)s person would be asked", "%(num)s people would be asked", number)
    else:
        sentence = ngettext("%(num)s person would come", "%(num)s people would come", number)
    return sentence % {"num": f"{number:,}"}


def done_words(run: ImportRun) -> str:
    """What was done, in one sentence."""
    if run.ask_them:
        number = run.counts.get("asked", 0)
        sentence = ngettext("%(num)s person was asked", "%(num)s people were asked", number)
    else:
        number = run.counts.get("added", 0)
        sentence = ngettext("%(num)s person came", "%(num)s people came", number)
    return sentence % {"num": f"{number:,}"}


def encoding_words(encoding: str) -> str:
    """An encoding as a spreadsheet calls it."""
    if encoding.startswith("utf-16"):
        return "UTF-16"
    return "UTF-8" if encoding.startswith("utf-8") else "Windows-1252"
