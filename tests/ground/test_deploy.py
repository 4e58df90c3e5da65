"""What stands in docs/deploy starts programs that exist, with settings that exist."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

from newsletter.cli.main import root
from newsletter.config import Settings

TOP = Path(__file__).parents[2]
DEPLOY = TOP / "docs" / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("newsletter*"))
PROGRAM = "/opt/newsletter/.venv/bin/newsletter"
CONTAINER = DEPLOY / "container"


def started_by(unit: Path) -> list[str]:
    return re.findall(rf"^ExecStart={PROGRAM} (.+)$", unit.read_text(), re.MULTILINE)


def understood(words: list[str]) -> bool:
    """Whether the command line knows the command and each of its options: raises if not. Nothing is run."""
    command: click.Command = root
    context = click.Context(root)
    while isinstance(command, click.Group):
        _name, found, words = command.resolve_command(context, words)
        assert found is not None
        command, context = found, click.Context(found, parent=context)
    command.make_parser(context).parse_args(list(words))
    return True


def settings_named(text: str) -> set[str]:
    return {name.removesuffix("_FILE") for name in re.findall(r"\bNEWSLETTER_([A-Z_]+)\b", text)}


KNOWN = {name.upper() for name in Settings.__dataclass_fields__}


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.suffix == ".service"], ids=lambda unit: unit.name)
def test_a_unit_starts_a_command_that_exists(unit: Path) -> None:
    [words] = started_by(unit)
    assert understood(shlex.split(words))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_has_nothing_to_say_against_a_unit(unit: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        message = "systemd-analyze is not installed"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    for each in UNITS:
        # Where it is to be installed there is nothing on this machine, which would be all that is said.
        (tmp_path / each.name).write_text(each.read_text().replace(PROGRAM, sys.executable))
    name = unit.name.replace("@.", "@1.")
    (tmp_path / name).write_text((tmp_path / unit.name).read_text())
    ran = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / name)], capture_output=True, text=True,
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
    )  # fmt: skip
    said = [line for line in ran.stderr.splitlines() if "newsletter" in line]
    assert said == []


def test_the_check_would_notice() -> None:
    with pytest.raises(click.UsageError):
        understood(["web", "--proceses", "4"])
    with pytest.raises(click.UsageError):
        understood(["wbe"])


def test_every_setting_that_is_named_there_exists() -> None:
    texts = [path.read_text() for path in (*UNITS, DEPLOY / "systemd" / "environment.example")]
    texts += [path.read_text() for path in CONTAINER.iterdir() if path.is_file()]
    named = settings_named("\n".join(texts))
    assert len(named) > 5
    # Those two are Caddy's: where it is, and what stands behind it.
    assert named - KNOWN <= {"SITE", "UPSTREAM"}


def test_the_container_installs_extras_that_exist_and_starts_commands_that_exist() -> None:
    extras = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    [named] = re.findall(r'"\.\[([a-z,]+)\]"', (CONTAINER / "Dockerfile").read_text())
    assert set(named.split(",")) <= set(extras)
    commands = re.findall(r"^ +command: \[(.+)\]$", (CONTAINER / "compose.yaml").read_text(), re.MULTILINE)
    assert len(commands) == 4
    for words in commands:
        assert understood([word.strip(' "') for word in words.split(",")])
    [starts] = re.findall(r"^CMD \[(.+)\]$", (CONTAINER / "Dockerfile").read_text(), re.MULTILINE)
    assert understood([word.strip(' "') for word in starts.split(",")])


def test_the_page_names_every_file_that_is_there() -> None:
    page = (TOP / "docs" / "deploy.md").read_text()
    for path in DEPLOY.rglob("*"):
        if path.is_file():
            assert path.name in page, f"docs/deploy.md does not tell of {path.name}"
