"""Subject and preview text in the versions of an issue: kept, compared, taken again."""

from uuid import UUID

from ...errors import Conflict
from ...i18n import gettext as _
from ...models import Issue, IssueVersion
from .changed import FieldChange, SectionChange, What
from .word_pieces import word_pieces

#: Stands where a section's kind stands.
KIND = "frame"
_NO_BLOCK = UUID(int=0)


def words_of(held: IssueVersion | Issue) -> tuple[str, str]:
    """(subject, preview text) as a version holds them, or as the issue has them."""
    return held.subject, held.preheader


def are_kept(version: IssueVersion) -> bool:
    """Whether the version holds them: one that was kept before versions held these words has neither."""
    return any(words_of(version))


def difference(before: IssueVersion, after: IssueVersion | Issue) -> list[SectionChange]:
    """What changed in the two, as one change; empty where nothing did, or where nobody can know."""
    if not are_kept(before) or words_of(before) == words_of(after):
        return []
    if isinstance(after, IssueVersion) and not are_kept(after):
        return []
    labels = (_("Subject"), _("Preview text"))
    fields = tuple(
        FieldChange(label, word_pieces(was, now))
        for label, was, now in zip(labels, words_of(before), words_of(after), strict=True)
        if was != now
    )
    name = fields[0].label if len(fields) == 1 else _("Subject and preview text")
    return [SectionChange(_NO_BLOCK, KIND, name, What.CHANGED, fields, None, None)]


def changed_by_act(issue: Issue, kept: IssueVersion, following: IssueVersion | None) -> bool:
    """Whether the act before which a version was kept changed the two; `following` is the version kept next.

    Raises Conflict where they were changed once more since: undoing the act would lose the newer words.
    """
    done = difference(kept, following or issue)
    if not done:
        return False
    if following is not None and difference(following, issue):
        raise Conflict(
            _("“{name}” was changed since. Take version {number} again to go back all the way.").format(
                name=done[0].name, number=kept.number
            )
        )
    return True


def take_again(issue: Issue, version: IssueVersion) -> None:
    """Give the issue the two as the version holds them, where it does."""
    if are_kept(version):
        issue.subject, issue.preheader = words_of(version)
