"""The pages in docs/ lead somewhere, and say what the program says."""

import re
from pathlib import Path

import pytest

from newsletter.cli.main import root
from newsletter.ticks import TICKS

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LARGEST_PICTURE = 150_000


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", page.read_text(encoding="utf-8"))

    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_picture_is_shown_described_and_small() -> None:
    shown = [
        (words, path)
        for page in PAGES
        for words, path in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    ]
    kept = sorted((ROOT / "docs" / "pictures").iterdir())

    assert all(len(words) > 20 for words, _path in shown)
    assert {Path(path).name for _words, path in shown} == {picture.name for picture in kept}
    assert [picture.name for picture in kept if picture.stat().st_size > LARGEST_PICTURE] == []


def test_operators_read_the_very_table_of_ticks() -> None:
    page = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (\d+) (s|min|h) \| (.+) \|$", page, re.M)
    seconds = {"s": 1, "min": 60, "h": 3600}

    assert sorted((job, int(number) * seconds[unit], what) for job, number, unit, what in rows) == sorted(
        (tick.job, tick.seconds, tick.what_for) for tick in TICKS
    )


def test_the_tour_has_six_files() -> None:
    page = (ROOT / "docs" / "tour.md").read_text(encoding="utf-8")

    assert len(re.findall(r"^\d\. \[`newsletter/", page, re.M)) == 6


def test_every_command_that_is_named_exists() -> None:
    import click

    context = click.Context(root)
    named = {
        (group, command)
        for page in PAGES
        for group, command in re.findall(
            r"\bnewsletter (staff|lists|subscribers|issues|contributions) ([a-z][a-z-]+)",
            page.read_text(encoding="utf-8"),
        )
    }
    unknown = []
    for group, command in sorted(named):
        found = root.get_command(context, group)
        assert isinstance(found, click.Group)
        if found.get_command(context, command) is None:
            unknown.append(f"{group} {command}")
    assert unknown == []
    assert ("issues", "verify") in named
