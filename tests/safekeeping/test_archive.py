"""The file itself: read to its end by us and by tar, and refused whole for a byte that is not right."""

import hashlib
import io
import json
import random
import tarfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from newsletter.errors import Refused
from newsletter.safekeeping import archive, sealed
from newsletter.safekeeping.manifest import Manifest, Member
from newsletter.safekeeping.squeezed import HEAD, Squeezing
from tests.safekeeping.installations import PASSPHRASE, unseen


@pytest.fixture(autouse=True)
def _cheap_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key for a hundredth of the work, as a file may ask for: dozens are made here. Other tests take the real one."""
    monkeypatch.setattr(sealed, "_LOG_N", 10)


CONTENT = {
    "newsletter.db": random.Random(7).randbytes(70_000) + bytes(70_000),
    "secret_keys": b"a-test-key-that-is-long-enough-to-be-used\n",
    "imports/" + "0a" * 16 + "/upload": b"email\nreader1@example.org\n",
}


def told(now: datetime, content: dict[str, bytes] = CONTENT, **changed: object) -> Manifest:
    members = {name: Member(len(octets), hashlib.sha256(octets).hexdigest()) for name, octets in content.items()}
    values = {"made_at": now, "program": "0.1.0", "schema": "0001", "database": "sqlite", "rows": {"media": 3}}
    return Manifest(**{**values, "members": members, **changed})


def packed(now: datetime, folder: Path, passphrase: str | None = None) -> Path:
    for name, octets in CONTENT.items():
        (folder / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "in" / name).write_bytes(octets)
    with (folder / "it.backup").open("wb") as target:
        archive.write(target, told(now), folder / "in", passphrase, unseen)
    return folder / "it.backup"


def refused(path: Path, passphrase: str | None = None) -> str:
    """What is said of the file; and a place to unpack it to stays empty but for what came before the fault."""
    with pytest.raises(Refused) as refusal:
        archive.look_into(path, passphrase, unseen)
    return str(refusal.value).removeprefix(f"{path} ")


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
def test_what_was_packed_comes_out_again(now: datetime, tmp_path: Path, passphrase: str | None) -> None:
    path, seen = packed(now, tmp_path, passphrase), list[tuple[int, int]]()
    assert archive.look_into(path, passphrase, lambda done, whole: seen.append((done, whole))) == told(now)
    assert seen[-1] == (sum(map(len, CONTENT.values())),) * 2
    archive.unpack(path, passphrase, tmp_path / "out", unseen)
    found = {str(file.relative_to(tmp_path / "out")): file for file in (tmp_path / "out").rglob("*") if file.is_file()}
    assert {name: file.read_bytes() for name, file in found.items()} == CONTENT
    assert {file.stat().st_mode & 0o777 for file in found.values()} == {0o600}


def test_any_tar_opens_one_without_a_passphrase(now: datetime, tmp_path: Path) -> None:
    with tarfile.open(packed(now, tmp_path), "r:gz") as tar:
        assert tar.getnames() == ["manifest.json", *sorted(CONTENT)]
        assert tar.extractfile("secret_keys").read() == CONTENT["secret_keys"]


def test_one_with_a_passphrase_says_nothing_without_it(now: datetime, tmp_path: Path) -> None:
    path = packed(now, tmp_path, PASSPHRASE)
    assert not any(word in path.read_bytes() for word in (b"manifest", b"sqlite", b"test-key", b"reader1"))
    assert refused(path).startswith("is encrypted: name the file with its passphrase (--passphrase-file)")
    assert refused(path, "four words of one kind").startswith("cannot be opened: the passphrase is wrong")


def test_a_passphrase_is_not_quietly_left_unused(now: datetime, tmp_path: Path) -> None:
    """Whoever can put another file in its place would have it taken for the encrypted one."""
    assert "is not encrypted, though a passphrase was given" in refused(packed(now, tmp_path), PASSPHRASE)


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
def test_no_byte_can_be_changed_unseen(now: datetime, tmp_path: Path, passphrase: str | None) -> None:
    whole = packed(now, tmp_path, passphrase).read_bytes()
    chosen = random.Random(3)
    places = [*range(12), *chosen.sample(range(12, len(whole) - 9), 60), *range(len(whole) - 8, len(whole))]
    if passphrase:
        places = [5, *range(33, 75, 4), 80, *chosen.sample(range(90, len(whole)), 20)]
    other = tmp_path / "other.backup"
    for place in places:
        changed = bytearray(whole)
        changed[place] ^= 1 << chosen.randrange(8)
        other.write_bytes(changed)
        assert refused(other, passphrase).endswith("Nothing was written."), place


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
def test_one_that_is_cut_short_or_goes_on_is_refused(now: datetime, tmp_path: Path, passphrase: str | None) -> None:
    whole = packed(now, tmp_path, passphrase).read_bytes()
    other = tmp_path / "other.backup"
    for length in (
        (70, 100, 65_700, len(whole) - 1) if passphrase else (0, 5, 11, 70, 65_700, len(whole) - 9, len(whole) - 1)
    ):
        other.write_bytes(whole[:length])
        assert refused(other, passphrase).endswith("Nothing was written."), length
    other.write_bytes(whole + b"\0")
    assert "damaged" in refused(other, passphrase)


def made_by_hand(now: datetime, folder: Path, headers: list[tuple[tarfile.TarInfo, bytes]], **changed: object) -> Path:
    """An archive as a stranger could make one."""
    plain = io.BytesIO()
    manifest = told(now, {header.name: octets for header, octets in headers}, **changed)
    about = json.loads(manifest.as_bytes())
    about.update({name: value for name, value in changed.items() if not isinstance(value, datetime)})
    octets = json.dumps(about, default=vars).encode()
    first = tarfile.TarInfo("manifest.json")
    first.size = len(octets)
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.GNU_FORMAT) as tar:
        tar.addfile(first, io.BytesIO(octets))
        for header, content in headers:
            tar.addfile(header, io.BytesIO(content))
        end = tar.offset
    path = folder / "hostile.backup"
    with path.open("wb") as target:
        squeezing = Squeezing(target)
        squeezing.write(plain.getvalue()[:end] + bytes(1024))
        squeezing.close()
    return path


def plain_file(name: str, octets: bytes, **about: object) -> tuple[tarfile.TarInfo, bytes]:
    header = tarfile.TarInfo(name)
    header.size = len(octets)
    for field, value in about.items():
        setattr(header, field, value)
    return header, octets


KEYS, DATABASE = plain_file("secret_keys", b"k"), plain_file("newsletter.db", b"d")
HOSTILE: dict[str, Callable[[], list[tuple[tarfile.TarInfo, bytes]]]] = {
    "a path that leads out": lambda: [DATABASE, KEYS, plain_file("../../etc/cron.d/x", b"x")],
    "a path from the root": lambda: [DATABASE, KEYS, plain_file("/etc/cron.d/x", b"x")],
    "a path that leads out of imports": lambda: [DATABASE, KEYS, plain_file("imports/../../x", b"x")],
    "a name that is none of ours": lambda: [DATABASE, KEYS, plain_file("wsgi.py", b"x")],
    "a link": lambda: [DATABASE, plain_file("secret_keys", b"", type=tarfile.SYMTYPE, linkname="/etc/shadow")],
    "a hard link": lambda: [DATABASE, plain_file("secret_keys", b"", type=tarfile.LNKTYPE, linkname="newsletter.db")],
    "a device": lambda: [DATABASE, plain_file("secret_keys", b"", type=tarfile.CHRTYPE)],
    "a header about a header": lambda: [DATABASE, plain_file("secret_keys", b"k" * 9, type=tarfile.GNUTYPE_LONGNAME)],
    "no keys": lambda: [DATABASE],
    "no database": lambda: [KEYS],
    "two databases": lambda: [DATABASE, KEYS, plain_file("newsletter.sql", b"x")],
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_strangers_archive_is_refused_before_anything_of_it_is_used(now: datetime, tmp_path: Path, what: str) -> None:
    path = made_by_hand(now, tmp_path, HOSTILE[what]())
    assert refused(path).endswith("Nothing was written.")


def test_by_hand_it_can_be_made_right(now: datetime, tmp_path: Path) -> None:
    """Else the refusals above would say nothing."""
    found = archive.look_into(made_by_hand(now, tmp_path, [DATABASE, KEYS]), None, unseen)
    assert set(found.members) == {"newsletter.db", "secret_keys"}


def test_one_that_unpacks_to_more_than_it_says_is_refused_where_it_begins_to(now: datetime, tmp_path: Path) -> None:
    bomb = plain_file("newsletter.db", bytes(50_000_000))
    path = made_by_hand(now, tmp_path, [bomb, KEYS], members={
        "newsletter.db": Member(10, "0" * 64), "secret_keys": Member(1, hashlib.sha256(b"k").hexdigest()),
    })  # fmt: skip
    read = list[tuple[int, int]]()
    with pytest.raises(Refused, match="damaged"):
        archive.look_into(path, None, lambda *each: read.append(each))
    assert read == []


def test_one_of_a_later_kind_says_so(now: datetime, tmp_path: Path) -> None:
    path = made_by_hand(now, tmp_path, [DATABASE, KEYS], format=2, program="9.0")
    assert refused(path).startswith("was made by another version of this program (9.0)")


def test_what_is_no_archive_is_called_that(tmp_path: Path) -> None:
    for octets in (b"", b"email,name\n", HEAD, b"PK\3\4" + bytes(99)):
        (tmp_path / "other").write_bytes(octets)
        assert refused(tmp_path / "other").endswith("Nothing was written.")
    assert "is no backup of this program" in refused(tmp_path / "other")
    assert "No such file" in refused(tmp_path / "none")
