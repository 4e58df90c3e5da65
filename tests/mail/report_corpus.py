"""Mails that come back, in the forms that mail systems give them: written for these tests, people of example.org.

`{{TAG}}`, `{{MESSAGE_ID}}`, `{{UNSUBSCRIBE}}` and `{{READER}}` stand where our own marks and the reader do.
"""

import uuid
from pathlib import Path

from newsletter.tokens import envelope_tag, message_name, unsubscribe_token
from tests.conftest import KEY

FOLDER = Path(__file__).parent / "reports"
NAMES = sorted(path.stem for path in FOLDER.glob("*.eml"))
SOMEBODY = uuid.UUID("00112233-4455-6677-8899-aabbccddeeff")
READER = "reader1@example.org"


def marks(subscription: uuid.UUID = SOMEBODY, issue: int = 1, delivery: int = 1) -> dict[str, str]:
    """Our own marks, as they stand in a message to this subscription."""
    return {
        "TAG": envelope_tag((KEY,), subscription),
        "MESSAGE_ID": f"{message_name((KEY,), issue, delivery)}@example.org",
        "UNSUBSCRIBE": unsubscribe_token((KEY,), subscription),
    }


def load(name: str, *, reader: str = READER, **given: str) -> bytes:
    """One mail of the corpus, with CRLF as it comes over the wire; `given` are marks, ours by default."""
    raw = (FOLDER / f"{name}.eml").read_bytes()
    for mark, value in {**marks(), "READER": reader, **given}.items():
        raw = raw.replace(b"{{" + mark.encode() + b"}}", value.encode())
    return raw.replace(b"\n", b"\r\n")
