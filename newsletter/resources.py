"""Where the files that are data and not code lie: in a checkout at the top, in a wheel under `_data`."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def data_dir(name: str) -> Path:
    """The folder `name` ("templates/email", "migrations").

    Raises FileNotFoundError when the installation lacks it.
    """
    for root in (_PACKAGE / "_data", _PACKAGE.parent):
        if (root / name).is_dir():
            return root / name
    raise FileNotFoundError(f"This installation lacks its folder {name}")
