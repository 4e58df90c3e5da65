"""From rows to words: an issue as the renderer takes it, and its renderings."""

from ...config import current_settings
from ...db import db
from ...models import Block, Issue, Media
from ...rendering.content import BlockContent, Frame, IssueContent, Joinable, Logo
from ...rendering.issue import BlockProblem, Rendered, render, validate_issue
from ..queries import the_organisation
from ..subscribers import offering
from .memory import Memory, key_of_content

#: Words of the masthead that one issue may have of its own; they are data of its masthead block.
MASTHEAD_WORDS = ("label", "strapline")

_rendered: Memory[Rendered] = Memory(64)
_problems: Memory[list[BlockProblem]] = Memory(64)


def address(path: str) -> str:
    """An absolute address of ours. `path` begins with a slash."""
    return current_settings().public_url + path


def web_address(issue: Issue) -> str:
    """Where the issue stands on the web once it is published."""
    return address(f"/news/{issue.slug}")


def block_content(block: Block) -> BlockContent:
    """A block as the renderer takes it; the masthead's own words are the frame's business."""
    data = {} if block.kind == "masthead" else block.data
    return BlockContent(
        str(block.id), block.kind, data, block.version, block.continues, block.diary, block.where, block.language,
        block.audience_note,
    )  # fmt: skip


def outside(block: Block) -> dict[str, object]:
    """A block for machines: `{"id", "kind", "version", "data", …}`."""
    return {**block_content(block).to_json(), "data": block.data}


def issue_content(issue: Issue) -> IssueContent:
    """The issue's blocks in order, and everything that is bound."""
    return IssueContent(tuple(map(block_content, issue.blocks)), frame(issue))


def label(issue: Issue) -> str:
    """What the masthead calls the issue: its title, unless it was given another label."""
    return masthead_words(issue)["label"] or issue.title


def masthead_words(issue: Issue) -> dict[str, str]:
    """The words that this issue's masthead has of its own; "" where it takes the list's."""
    data = next((block.data for block in issue.blocks if block.kind == "masthead"), {})
    return {name: str(data.get(name, "")) for name in MASTHEAD_WORDS}


def frame(issue: Issue) -> Frame:
    """What an issue prints that is bound to records: publisher, list, addresses, the next issue."""
    organisation = db.session.scalar(the_organisation())
    mailing_list, following = issue.mailing_list, issue.next_issue
    deadline = following.deadline if following else None
    return Frame(
        organisation=organisation.name if organisation else mailing_list.name,
        organisation_address=organisation.address if organisation else "",
        contact_email=mailing_list.contact_address,
        contact_phone=organisation.phone if organisation else "",
        publication=mailing_list.name,
        label=label(issue),
        strapline=masthead_words(issue)["strapline"] or mailing_list.strapline,
        preheader=issue.preheader,
        subject=issue.subject,
        language=issue.language,
        timezone=mailing_list.timezone,
        accent=mailing_list.accent,
        logo=_logo(mailing_list.logo_id),
        why=mailing_list.why,
        web_url=web_address(issue),
        privacy_url=address("/privacy"),
        accessibility_url=address("/accessibility"),
        subscribe_url=address("/subscribe"),
        own_copy_url=address(f"/subscribe?list={mailing_list.slug}") if mailing_list.public else "",
        media_base=address("/media/"),
        views_base=address("/views/"),
        joinable=_joinable(issue),
        next_issue_label=label(following) if following else None,
        next_deadline=deadline.instant if deadline else None,
        contribute_url=address(f"/contribute/{following.slug}") if following and deadline else None,
        planned_send=issue.scheduled_at or issue.planned_at,
    )


def _joinable(issue: Issue) -> tuple[Joinable, ...]:
    """The lists that the issue's sections name and its readers can join: public ones that are not its own."""
    named = {str(block.data.get("list", "")) for block in issue.blocks if block.kind == "join_list"} - {""}
    found = offering.public_lists(named) if named else ()
    return tuple(Joinable(one.slug, one.name, one.frequency) for one in found if one.id != issue.list_id)


def _logo(media_id: int | None) -> Logo | None:
    media = db.session.get(Media, media_id) if media_id else None
    # It stands beside the publisher's name in words: a reader who hears both hears one thing twice.
    return Logo(src=address(f"/media/{media.name}"), decorative=True) if media else None


def render_issue(issue: Issue) -> Rendered:
    """Every form of the issue as it stands. Not for use inside `transaction()`: a mail takes some 20 ms to make.

    Renderings are kept by what they were made of, so that a page and its preview make one. Raises what `render`
    raises.
    """
    return render_content(issue_content(issue))


def render_content(content: IssueContent) -> Rendered:
    """Every form of this content, from memory where it was made before."""
    return _rendered.of(key_of_content(content), lambda: render(content))


def problems_of(content: IssueContent) -> list[BlockProblem]:
    """What the sections and the mail lack (`validate_issue`), from memory where it was asked before."""
    return _problems.of(key_of_content(content), lambda: validate_issue(content))
