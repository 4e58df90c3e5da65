"""What stops a whole issue."""

from dataclasses import replace
from typing import Any

import pytest

from newsletter.errors import Invalid, Problem
from newsletter.rendering import mjml
from newsletter.rendering.content import BlockContent, IssueContent, Logo
from newsletter.rendering.issue import BlockProblem, render, validate_issue
from newsletter.states import Where

from .larkmere import ISSUES, issue

DECEMBER = issue("december-2026")
HEAD, FOOT = DECEMBER.blocks[0], DECEMBER.blocks[-1]


def section(block_id: str = "s", heading: str = "Water safety", **data: Any) -> BlockContent:
    return BlockContent(block_id, "section", {"heading": heading, "body": "<p>Wear a coat.</p>", **data})


def found(*blocks: BlockContent, **frame: Any) -> list[tuple[str, str, str]]:
    content = IssueContent(blocks, replace(DECEMBER.frame, **frame))
    return [(each.block_id, each.field, each.sentence) for each in validate_issue(content)]


@pytest.mark.parametrize("name", ISSUES)
def test_larkmeres_issues_are_ready(name: str) -> None:
    assert validate_issue(issue(name)) == []


def test_head_and_foot_stand_where_they_belong() -> None:
    assert found(section(), HEAD, FOOT)[0] == (HEAD.id, "", "The masthead must stand first.")
    assert (FOOT.id, "", "The footer must stand last.") in found(HEAD, FOOT, section())
    missing = found(section())
    assert ("", "masthead", "The issue has no masthead.") in missing
    assert ("", "footer", "The issue has no footer.") in missing
    assert ("", "footer", "The link unsubscribe_url must stand in the mail exactly once.") in missing


def test_some_kinds_come_once_and_notices_twice() -> None:
    dates = BlockContent("k1", "key_dates", {})
    assert ("k2", "", "There can be only one “Key dates” in an issue.") in found(
        HEAD, dates, replace(dates, id="k2"), FOOT
    )
    (notice,) = [block for block in DECEMBER.blocks if block.kind == "notice"]
    three = [replace(notice, data={**notice.data, "heading": f"Change {number}"}) for number in (1, 2, 3)]
    numbered = [replace(block, id=f"n{number}") for number, block in enumerate(three, 1)]
    assert found(HEAD, *numbered, FOOT) == [
        ("n3", "", "An issue has 2 notices at most: when everything is important, nothing is.")
    ]


def test_two_sections_of_one_name_cannot_be_told_apart() -> None:
    sentence = "Two sections are called “Water safety”: readers cannot tell them apart in the contents."
    assert found(HEAD, section("a"), section("b"), FOOT) == [
        ("a", "heading", sentence),
        ("b", "heading", sentence),
    ]


def test_no_heading_level_is_skipped() -> None:
    (event, *_others) = [block for block in DECEMBER.blocks if block.kind == "event"]
    assert found(HEAD, event, FOOT) == [
        (event.id, "heading", "This stands under no heading: put it after a section with a heading, or give it one.")
    ]
    assert found(HEAD, section(), event, FOOT) == []


def test_the_frame_is_checked_too() -> None:
    problems = found(
        HEAD, section(), FOOT, subject=" ", privacy_url="/privacy", strapline="Hello {first_name}",
        logo=Logo("https://elsewhere.example.net/logo.png"),
    )  # fmt: skip
    assert [(block, field) for block, field, _sentence in problems] == [
        ("", "subject"),
        ("", "privacy_url"),
        ("", "strapline"),
        ("", "logo.alt"),
        ("", "media"),
    ]
    assert found(HEAD, section(), FOOT, accent="teal") == [
        ("", "accent", "Enter the colour as # and six digits, such as #0E5A63.")
    ]


def test_head_and_foot_are_never_hidden() -> None:
    assert found(replace(HEAD, where=Where.WEB), section(), FOOT) == [
        (HEAD.id, "where", "“Masthead” stands in the mail and on the web.")
    ]


def test_a_wrong_shape_is_named_with_its_block() -> None:
    wrong = BlockContent("s", "findings", {"items": [{"subheading": ["no"]}]})
    assert found(HEAD, wrong, FOOT) == [("s", "items.0.subheading", "“Finding” must be text.")]
    with pytest.raises(Invalid) as refused:
        render(IssueContent((HEAD, wrong, FOOT), DECEMBER.frame))
    assert [problem.field for problem in refused.value.problems] == ["blocks.s.items.0.subheading"]


def test_an_unknown_kind_is_named_and_the_others_are_checked() -> None:
    problems = found(HEAD, BlockContent("x", "carousel", {}), section(heading=""), FOOT)
    assert problems[0] == ("x", "kind", "There is no kind of section called “carousel”.")
    assert ("s", "heading", "Give the section a heading.") in problems


def test_a_long_mail_is_worth_a_look_and_a_longer_one_is_stopped() -> None:
    def sized(paragraphs: int) -> list[BlockProblem]:
        body = "<p>" + "Wear a coat. " * 20 + "</p>"
        blocks = [section(f"s{number}", f"Part {number}", body=body * 10) for number in range(paragraphs)]
        return validate_issue(IssueContent((HEAD, *blocks, FOOT), DECEMBER.frame))

    assert sized(5) == []
    (look,) = sized(17)
    assert (look.field, look.blocking) == ("size", False)
    (stop,) = sized(19)
    assert (stop.field, stop.blocking) == ("size", True)
    assert stop.sentence.startswith("The mail has 1")


def test_when_the_mail_cannot_be_made_the_block_to_blame_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def fragile(source: str) -> str:
        if "Wear a coat" in source:
            raise Invalid([Problem("", "The mail could not be made.")])
        return "<html></html>"

    monkeypatch.setattr(mjml, "compile_mjml", fragile)
    problems = found(HEAD, section("fine", "Fine", body="<p>Bring a hat.</p>"), section("bad"), FOOT)
    assert problems == [("bad", "", "The mail could not be made.")]
