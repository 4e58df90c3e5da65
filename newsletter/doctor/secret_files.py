"""The files that secrets come from: that nobody else on the machine can read or change them."""

import stat
from collections.abc import Mapping
from pathlib import Path

from ..config_reader import PREFIX
from .findings import Notes

_SECRETS = (
    *("SECRET_KEYS", "DATABASE_URL", "RELAY_URL", "INBOUND_URL"),
    *("OAUTH_CLIENT_SECRET", "OIDC_CLIENT_SECRET", "METRICS_TOKEN"),
)


def examine_secret_files(environment: Mapping[str, str], notes: Notes) -> None:
    """Look at the file of each secret that a setting in `environment` names by `…_FILE`."""
    paths = {name: Path(value) for name in _SECRETS if (value := environment.get(f"{PREFIX}{name}_FILE", "").strip())}
    closed = 0
    for name, path in paths.items():
        if _others_reach(path):
            notes.warning(
                f"Every user of this machine can read or change {path}, the secret of {PREFIX}{name}_FILE.",
                f"chmod o-rwx “{path}”, or the folder that it lies in.",
            )
        elif _group_changes(path):
            notes.warning(f"A whole group may change {path}, the secret of {PREFIX}{name}_FILE.", f"chmod g-w “{path}”")
        else:
            closed += 1
    if closed:
        notes.good(f"Nobody but who should can read the files of {closed} secret{'s' if closed > 1 else ''}.")


def _others_reach(path: Path) -> bool:
    """Whether the file is open to everybody, and every folder on the way to it, too."""
    try:
        real = path.resolve()
        on_the_way = all(stat.S_IMODE(folder.stat().st_mode) & stat.S_IXOTH for folder in real.parents)
        return on_the_way and bool(stat.S_IMODE(real.stat().st_mode) & (stat.S_IROTH | stat.S_IWOTH))
    except OSError:
        return False


def _group_changes(path: Path) -> bool:
    try:
        return bool(stat.S_IMODE(path.stat().st_mode) & stat.S_IWGRP)
    except OSError:
        return False
