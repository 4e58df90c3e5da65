"""The house stands as drawn: floors, sizes, and a core that needs no extra."""

import ast
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "newsletter"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "node_modules" not in path.parts)

#: Packages that only an extra brings; the core must work without them.
EXTRAS = {
    *("psycopg", "procrastinate", "gunicorn", "prometheus_client", "jwt"),
    *("flufl", "imapclient", "dkim", "uvloop"),
    *("pytest", "hypothesis", "aiosmtpd"),
}
#: The one door of each extra: there it is imported when it is needed, inside a function that says what to install.
DOORS = {
    "flufl": "mail/odd_bounces.py",
    "imapclient": "mail/imap.py",
    "dkim": "doctor/signatures.py",
    "uvloop": "delivery/run/loop.py",
    "prometheus_client": "operations/metrics.py",
    "jwt": "oidc/claims.py",
}
#: Rooms that are an extra's altogether, and which: nobody imports them but inside a function.
ROOMS = {
    "work/deferring.py": {"procrastinate"},
    "work/ring_tables.py": {"procrastinate"},
    "work/ring_taker.py": {"procrastinate", "psycopg"},
    "cli/gunicorn_serving.py": {"gunicorn"},
}


def test_imports_go_down_the_house_never_up() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=PACKAGE.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def _imports(nodes: Iterable[ast.AST]) -> set[str]:
    """The first names of what these statements import from outside."""
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_has_at_most_three_hundred_lines(module: Path) -> None:
    assert len(module.read_text(encoding="utf-8").splitlines()) <= 300


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_core_imports_nothing_that_only_an_extra_brings(module: Path) -> None:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    at_once = _imports(node for node in tree.body)
    when_needed = _imports(ast.walk(tree)) - at_once
    ours = {name for name, door in DOORS.items() if module == PACKAGE / door}
    room = ROOMS.get(str(module.relative_to(PACKAGE)), set())
    assert (at_once & EXTRAS) - room == set()
    assert (when_needed & EXTRAS) - ours == set()
    rooms = {Path(each).stem for each in ROOMS}
    assert not [node for node in tree.body if isinstance(node, ast.ImportFrom) and _last_names(node) & rooms]


def _last_names(node: ast.ImportFrom) -> set[str]:
    """What such a statement may name a module by."""
    return {(node.module or "").rpartition(".")[2], *(alias.name for alias in node.names)}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_module_says_what_it_is_for(module: Path) -> None:
    source = module.read_text(encoding="utf-8")
    assert not source.strip() or ast.get_docstring(ast.parse(source)), "no docstring"
