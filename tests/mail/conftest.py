"""What the tests of the mail floor share."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.mail.message import CompiledMessage, Mailbox, Recipient, compile_message
from newsletter.mail.relay import Envelope
from newsletter.mail.smtp import SmtpRelay
from newsletter.mail.smtp_wire import Timeouts
from tests.smtp_servers import Authority

#: For servers that fall silent: RFC 5321's minutes become fractions of a second.
IMPATIENT = Timeouts(connect=5, greeting=0.2, command=0.2, data=0.2, block=0.2, final=0.2, leave=0.2)
PATIENT = Timeouts(connect=30, greeting=30, command=30, data=30, block=30, final=30, leave=5)
#: Short only where the server is silent in that test, so that a busy machine cannot change what is tested.
SHORT_AT_THE_END = replace(PATIENT, final=0.2, leave=0.2)
SHORT_COMMANDS = replace(PATIENT, command=1, leave=0.2)
SHORT_BLOCKS = replace(PATIENT, block=0.3, leave=0.2)

DATE = datetime(2027, 1, 12, 9, 30, tzinfo=UTC)
HTML = '<p>Safeguarding news</p><p><a href="{unsubscribe_url}">Leave</a> <a href="{preferences_url}">Choose</a></p>'
TEXT = "Safeguarding news\n\nLeave: {unsubscribe_url}\nChoose: {preferences_url}\n"


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def relay_for() -> Callable[..., SmtpRelay]:
    """A relay for a test server's URL, by default one that waits long enough for a busy machine."""

    def make(url: str, *, ca_file: Path | None = None, timeouts: Timeouts = PATIENT) -> SmtpRelay:
        return SmtpRelay.from_url(url, ca_file=ca_file, connections=4, timeouts=timeouts)

    return make


def larkmere(html: str = HTML, text: str = TEXT, **changes: object) -> CompiledMessage:
    """The Larkmere partnership's winter issue, with changes to what `compile_message` is given."""
    given: dict[str, object] = {
        "html": html,
        "text": text,
        "subject": "Larkmere safeguarding: winter news",
        "sender": Mailbox("Larkmere Safeguarding Partnership", "news@larkmere.example.org"),
        "reply_to": Mailbox("", "office@larkmere.example.org"),
        "headers": {"List-Id": "Larkmere news <news.larkmere.example.org>", "Precedence": "bulk"},
        "language": "en-GB",
        "date": DATE,
    }
    return compile_message(**(given | changes))


def reader(number: int = 1, name: str = "Asha Patel", address: str | None = None) -> Recipient:
    """A reader with links and a Message-ID of their own."""
    return Recipient(
        address=address or f"reader{number}@example.org",
        name=name,
        message_id=f"{number}.winter@news.example.org",
        unsubscribe_url=f"https://news.example.org/u/{number:040d}",
        preferences_url=f"https://news.example.org/p/{number:040d}",
    )


def envelope_for(recipient: str = "asha@example.org", message: bytes = b"Subject: hello\r\n\r\nhello\r\n") -> Envelope:
    return Envelope("bounce@larkmere.example.org", recipient, message, delivery=1)
