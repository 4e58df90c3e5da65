"""Forms made from the kinds' own tables: what goes in comes out, and every button does what it says."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

import newsletter
from newsletter.errors import Problem
from newsletter.rendering.blocks import KINDS
from newsletter.web.section_forms import Control, FormOf, ListStep, list_step, read_data, take_step

_LARKMERE = json.loads((Path(newsletter.__file__).parent / "demo/larkmere.json").read_text(encoding="utf-8"))
_BLOCKS = [
    pytest.param(block, id=f"{issue}-{number}-{block['kind']}")
    for issue, content in _LARKMERE.items()
    for number, block in enumerate(content["blocks"])
]


def _posted(controls: tuple[Control, ...]) -> Iterator[tuple[str, str]]:
    """What a browser sends of a form that nobody touched."""
    for control in controls:
        if control.shape == "group":
            yield from _posted(control.controls)
        elif control.shape == "items":
            for entry in control.entries:
                yield from _posted(entry.controls)
        elif control.shape == "flag":
            if control.value:
                yield control.name, "y"
        else:
            # A browser ends the lines of a text area with CR LF (HTML, "constructing the entry list").
            yield control.name, str(control.value).replace("\n", "\r\n")


@pytest.mark.parametrize("block", _BLOCKS)
def test_a_form_that_nobody_touched_changes_nothing(block: dict[str, Any]) -> None:
    kind = KINDS[block["kind"]]
    data = kind.clean(block["data"])
    posted = MultiDict(_posted(FormOf().controls(kind.fields, data)))
    assert kind.clean(read_data(kind.fields, posted)) == data


@pytest.mark.parametrize("name", list(KINDS))
def test_a_new_section_of_every_kind_has_a_form(name: str) -> None:
    kind = KINDS[name]
    posted = MultiDict(_posted(FormOf().controls(kind.fields, kind.empty())))
    assert kind.clean(read_data(kind.fields, posted)) == kind.empty()


def test_a_problem_stands_at_the_control_it_names() -> None:
    kind = KINDS["findings"]
    data = {"heading": "What we found", "intro": "", "items": [{"subheading": "Plans", "text": ""}]}
    controls = FormOf([Problem("items.0.text", "Write what was found.")]).controls(kind.fields, data)
    entry = next(each for each in controls if each.shape == "items").entries[0]
    wrong = next(each for each in entry.controls if each.error)
    assert (wrong.name, wrong.id, wrong.error) == ("d.items.0.text", "d-items-0-text", "Write what was found.")


def test_one_more_entry_is_shown_where_it_was_asked_for() -> None:
    kind = KINDS["findings"]
    data = {"heading": "", "intro": "", "items": [{"subheading": "Plans", "text": ""}]}
    shown = next(each for each in FormOf(more="items").controls(kind.fields, data) if each.shape == "items")
    assert [entry.new for entry in shown.entries] == [False, True]


@pytest.mark.parametrize(
    ("pressed", "step"),
    [
        ("up:items.2", ListStep("up", "items", 2)),
        ("remove:items.0", ListStep("remove", "items", 0)),
        ("add:items", ListStep("add", "items")),
        ("add:a.items", ListStep("add", "a.items")),
        ("next", None),
        ("drop:table", None),
        ("up:items.2000", None),
    ],
)
def test_what_a_button_asks_for(pressed: str, step: ListStep | None) -> None:
    assert list_step(pressed) == step


def test_entries_move_and_go() -> None:
    data = {"items": ["a", "b", "c"]}
    assert take_step(data, ListStep("up", "items", 2)) == 1
    assert data["items"] == ["a", "c", "b"]
    assert take_step(data, ListStep("down", "items", 2)) == 2
    assert take_step(data, ListStep("remove", "items", 0)) == 0
    assert data["items"] == ["c", "b"]


@pytest.mark.parametrize("path", ["nothing", "items.9.text", "heading"])
def test_a_button_for_what_is_not_there_does_nothing(path: str) -> None:
    data = {"items": ["a"], "heading": "Plans"}
    take_step(data, ListStep("up", path, 3))
    assert data == {"items": ["a"], "heading": "Plans"}
