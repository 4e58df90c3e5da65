"""The whole job by commands alone, against a real mail server: an operator's script, and what it can rely on."""

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from tests.smtp_servers import AcceptingServer

Command = Callable[..., subprocess.CompletedProcess[str]]
DOCUMENT = Path(__file__).parents[1] / "fixtures" / "larkmere-autumn.txt"
READERS = 200


@pytest.fixture
def server() -> AcceptingServer:
    with AcceptingServer(pipelining=True) as server:
        yield server


@pytest.fixture
def newsletter(tmp_path: Path, server: AcceptingServer) -> Command:
    """`newsletter <words>` with a data directory of its own and the mail server as relay."""
    import os

    environment = {
        **os.environ,
        "NEWSLETTER_DATA_DIR": str(tmp_path / "var"),
        "NEWSLETTER_PUBLIC_URL": "https://news.example.org",
        "NEWSLETTER_RELAY_URL": server.url,
    }

    def run(*words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "newsletter.cli", *words], env=environment, capture_output=True, text=True
        )
        assert "Traceback" not in done.stderr
        assert done.returncode == status, f"{words}: {done.stdout}{done.stderr}"
        return done

    return run


def mended(document: str) -> str:
    """The document with its holes filled (two addresses, links that plain text cannot hold) and its dates to come."""
    filled = re.sub(r"email:(\s+by )", r"email views@example.org\1", document)
    filled = re.sub(r"email:\s*$", "email newsletter@example.org.", filled, flags=re.MULTILINE)
    filled = filled.replace("View the ", "Ask us for the ")
    ahead = (date.today() + timedelta(days=400)).year
    return filled.replace("2026", str(ahead)).replace("2027", str(ahead + 1))


def test_an_operator_sets_up_imports_and_sends_to_two_hundred(
    newsletter: Command, server: AcceptingServer, tmp_path: Path
) -> None:
    privacy, people, document = tmp_path / "privacy.txt", tmp_path / "people.csv", tmp_path / "autumn.txt"
    privacy.write_text("We use your address to send what you tick, and for nothing else.")
    people.write_text("email,name\n" + "".join(f"reader{n}@example.org,Réader {n}\n" for n in range(READERS)))
    document.write_text(mended(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")

    assert "Nothing is set up yet" in newsletter("installation", "show", status=1).stderr
    newsletter(
        "installation", "set", "--organisation", "Larkmere Safeguarding Children Partnership",
        "--address", "Millrace House, 4 Weir Street, Larkmere", "--email", "newsletter@example.org",
        "--privacy-notice", str(privacy), "--sending-mode", "everyone",
    )  # fmt: skip
    assert json.loads(newsletter("installation", "show", "--json").stdout)["sending_mode"] == "everyone"
    newsletter("lists", "create", "policy-changes", "--name", "Policy changes")
    imported = json.loads(
        newsletter(
            "subscribers", "import", str(people), "--list", "policy-changes", "--source", "Paper forms", "--json"
        ).stdout
    )
    assert imported["added"] == READERS
    made = json.loads(
        newsletter(
            "issues",
            "import",
            str(document),
            "--list",
            "policy-changes",
            "--title",
            "Autumn issue",
            "--preview",
            "Six findings to take back to your team.",
            "--json",
        ).stdout
    )
    assert made["unplaced"] == []
    assert Counter(block["kind"] for block in made["blocks"])["masthead"] == 1

    refused = newsletter("issues", "send", "autumn-issue", "--now", status=1)
    assert refused.stderr == (
        "No test email was sent of the words as they stand. The issue is not approved as it stands.\n"
    )
    newsletter("issues", "send", "autumn-issue", "--now", "--wait", "--override", "A rehearsal with invented readers")

    status = json.loads(newsletter("issues", "status", "autumn-issue", "--json").stdout)
    assert status["state"] == "sent"
    assert status["recipients"] == READERS
    assert status["counts"]["accepted"] == READERS
    assert sum(status["counts"].values()) == READERS
    newsletter("issues", "verify", "autumn-issue")
    reached_once(server)


def reached_once(server: AcceptingServer) -> None:
    """Everybody got one mail, addressed to them, with a way to leave of their own."""
    mails = [message_from_bytes(mail.message, policy=default) for mail in server.received]
    mails = [mail for mail in mails if mail["List-Unsubscribe"]]
    assert Counter(mail["To"].addresses[0].addr_spec for mail in mails) == {
        f"reader{n}@example.org": 1 for n in range(READERS)
    }
    assert len({mail["List-Unsubscribe"] for mail in mails}) == READERS
    for mail in mails[:3]:
        text = mail.get_body(("plain",)).get_content()
        assert mail["List-Unsubscribe"].strip("<>") in text
        assert "Key findings from the practice week" in text
