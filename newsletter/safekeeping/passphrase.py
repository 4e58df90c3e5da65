"""The passphrase of a backup, from a file: a command line is read by everybody on the machine."""

from pathlib import Path

from ..errors import Refused

#: Each guess costs half a second and 128 MB; a shorter one is found all the same.
SHORTEST = 12
_LONGEST = 1024


def read_passphrase(file: Path, *, new: bool) -> str:
    """The first line of the file. Raises Refused for what cannot be read, and for a `new` one that is too short."""
    try:
        with file.open(encoding="utf-8") as lines:
            found = lines.readline(_LONGEST + 2).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        raise Refused(f"The passphrase file {file} cannot be read ({why}).") from None
    if len(found) > _LONGEST:
        raise Refused(f"The first line of {file} is longer than {_LONGEST} characters: is it the passphrase file?")
    if len(found) < (SHORTEST if new else 1):
        raise Refused(
            f"The passphrase in {file} is too short: it needs {SHORTEST} characters or more in its first line."
            " Four words that have nothing to do with each other are good."
        )
    return found
