"""An operator's day at the command line: import, check, render, send, account; and every refusal in one sentence."""

import io
import json
import sys
from collections.abc import Callable
from datetime import date, datetime, time
from email import message_from_bytes, policy
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask
from flask_migrate import stamp

from newsletter import clock
from newsletter.app import create_app
from newsletter.cli import main
from newsletter.db import db, transaction
from newsletter.deadlines import Deadline
from newsletter.domain.issues import approving, creating, documents, testing
from newsletter.models import Account, Activity, Approval, Chase, Issue, MailboxMessage, MailingList
from newsletter.resources import data_dir
from newsletter.schema import install_history
from newsletter.states import ChaseKind, Role
from tests.domain.issue_makers import AUTUMN, autumn_mended
from tests.fixtures.documents.make_word import FILE as WORD
from tests.people import larkmere, staff, subscribers

_FAR = Deadline.of(date(2099, 7, 3), time(17), "Europe/London")
Command = Callable[..., SimpleNamespace]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """An installation in the environment: the quarterly list with twelve readers, Ruth who edits, Ada who runs it."""
    monkeypatch.setenv("NEWSLETTER_DATA_DIR", str(tmp_path / "var"))
    for name in ("DATABASE_URL", "RELAY_URL", "PUBLIC_URL"):
        monkeypatch.delenv(f"NEWSLETTER_{name}", raising=False)
    app = create_app()
    with app.app_context():
        db.create_all()
        install_history(app)
        stamp(directory=str(data_dir("migrations")))
        now = clock.now()
        subscribers(now, larkmere(now), 12)
        staff(now)
        staff(now, "Ada Lindqvist", Role.ADMIN)
        db.session.remove()
        db.engine.dispose()
    return app


@pytest.fixture
def newsletter(here: Flask, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """`newsletter …` as typed: exit status, standard output, standard error."""

    def run(*arguments: str, stdin: bytes = b"") -> SimpleNamespace:
        monkeypatch.setattr(sys, "argv", ["newsletter", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capfd.readouterr()
        try:
            main()
            status: object = 0
        except SystemExit as ended:
            status = ended.code or 0
        said = capfd.readouterr()
        return SimpleNamespace(status=status, out=said.out, err=said.err)

    return run


def _ready(now: datetime, app: Flask) -> None:
    """The imported issue, mended, tested and approved by Ada."""
    text = (
        autumn_mended()
        .replace("views@example.org by 6 October 2026", "views@example.org")
        .replace("16 October 2026", "16 October 2098")
    )
    mailing_list = db.session.query(MailingList).one()
    ruth, ada = db.session.query(Account).order_by(Account.name.desc()).all()
    with transaction():
        issue = creating.create_issue(mailing_list, title="Autumn", actor=ruth, now=now)
        documents.import_document(issue, documents.read_text(text), actor=ruth, now=now)
        creating.ensure_next_issue(issue, title="Winter", deadline=_FAR, actor=ruth, now=now)
        creating.change_frame(issue, subject="Autumn news", preheader="What we found in the practice week, and dates.",
                              actor=ruth, now=now)  # fmt: skip
    prepared = approving.prepare(issue, now)
    assert [finding.sentence for finding in prepared.blocking] == []
    with transaction():
        testing.send_test(issue, prepared, [ruth.email], actor=ruth, now=now)
        approving.approve(issue, prepared, actor=ada, now=now)


def test_a_document_becomes_an_issue(newsletter: Command) -> None:
    title = ("--title", "September 2026")
    done = newsletter("issues", "import", str(AUTUMN), "--list", "safeguarding-news", *title, "--json")
    assert (done.status, done.err) == (0, "")
    made = json.loads(done.out)
    kinds = [block["kind"] for block in made["blocks"]]
    assert (made["id"], made["slug"], made["unplaced"]) == (1, "september-2026", [])
    assert [kinds.count(kind) for kind in ("masthead", "section", "findings", "call", "footer")] == [1, 6, 1, 1, 1]
    assert set(made["blocks"][2]) == {"id", "kind", "version", "data"}
    shown = json.loads(newsletter("issues", "show", "september-2026", "--json").out)
    assert (shown["state"], shown["list"], shown["recipients"]) == ("draft", "safeguarding-news", 12)
    assert shown["blocks"] == made["blocks"]
    words = newsletter("issues", "show", "1").out
    assert "Section: Our Priorities" in words


def test_a_document_may_come_through_a_pipe(newsletter: Command) -> None:
    done = newsletter("issues", "import", "-", "--list", "safeguarding-news", "--title", "X", stdin=b"News\n\nText.")
    assert (done.status, done.err) == (0, "")
    assert "Issue 1, X (x), was made of 1 sections" in done.out


def test_a_word_document_is_imported_by_what_is_in_it(newsletter: Command, tmp_path: Path) -> None:
    named = tmp_path / "news.txt"
    named.write_bytes(WORD.read_bytes())
    done = newsletter("issues", "import", str(named), "--list", "safeguarding-news", "--title", "X", "--json")
    made = json.loads(done.out)
    assert [block["kind"] for block in made["blocks"]].count("table") == 1
    assert made["unplaced"] == []
    assert {"what": "comments", "number": 1, "words": ["Is this true of Oakfield?"]} in made["left_out"]
    words = newsletter("issues", "import", "-", "--list", "safeguarding-news", "--title", "Y", stdin=WORD.read_bytes())
    assert "Left out: Colours and fonts, 1 comment, 1 tracked deletion" in words.out


def test_a_past_issue_is_in_the_archive_and_never_sent(newsletter: Command) -> None:
    title = ("--list", "safeguarding-news", "--title", "December 2017")
    done = newsletter("issues", "import", str(WORD), *title, "--past", "2017-12-04")
    assert (done.status, done.err) == (0, "")
    assert "It is in the archive as of Monday 4 December 2017: http" in done.out
    shown = json.loads(newsletter("issues", "show", "december-2017", "--json").out)
    assert (shown["state"], shown["published"]) == ("sent", True)
    for command in (["send", "december-2017", "--now"], ["schedule", "december-2017", "--at", "2099-01-04T10:00"]):
        refused = newsletter("issues", *command, "--override", "because")
        assert (refused.status, refused.out) == (1, "")
    assert newsletter("issues", "verify", "december-2017").status == 0
    assert newsletter("issues", "import", str(WORD), *title, "--past", "2099-12-04").status == 1
    assert newsletter("issues", "import", str(WORD), *title, "--past", "yesterday").status == 2


def test_checks_are_told_and_stop(newsletter: Command) -> None:
    newsletter("issues", "import", str(AUTUMN), "--list", "safeguarding-news", "--title", "Autumn")
    done = newsletter("issues", "check", "autumn")
    assert done.status == 1
    assert done.err.endswith("stop this issue.\n")
    assert done.out.count("An email address is missing.") == 2
    found = json.loads(newsletter("issues", "check", "autumn", "--json").out)
    assert found["blocking"] == sum(each["blocking"] for each in found["findings"])
    assert {"preheader", "next_deadline", "approval"} <= {each["code"] for each in found["before_scheduling"]}


def test_every_form_is_written_to_standard_output(newsletter: Command) -> None:
    newsletter("issues", "import", str(AUTUMN), "--list", "safeguarding-news", "--title", "Autumn")
    out = {form: newsletter("issues", "render", "autumn", "--format", form).out
           for form in ("html", "text", "web", "mjml", "eml")}  # fmt: skip
    assert out["html"].startswith("<!doctype html>")
    assert out["mjml"].lstrip().startswith("<mjml")
    assert 'class="issue-block' in out["web"]
    assert "Our Priorities\n-----" in out["text"]
    mail = message_from_bytes(out["eml"].encode(), policy=policy.default)
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_an_approved_issue_is_sent_and_accounted_for(newsletter: Command, here: Flask) -> None:
    with here.app_context():
        _ready(datetime(2026, 10, 1, 9, 0, tzinfo=clock.now().tzinfo), here)
        db.session.remove()
    done = newsletter("issues", "send", "autumn", "--now", "--wait", "--json")
    assert (done.status, done.err) == (0, "")
    assert json.loads(done.out) == {
        "state": "sent",
        "recipients": 12,
        "counts": {"queued": 0, "claimed": 0, "accepted": 12, "deferred": 0, "refused": 0, "unsure": 0, "skipped": 0},
    }
    assert json.loads(newsletter("issues", "status", "autumn", "--json").out) == json.loads(done.out)
    assert "all 12 recipients are accounted for" in newsletter("issues", "verify", "autumn").out
    again = newsletter("issues", "send", "autumn", "--now")
    assert (again.status, again.err) == (1, "Autumn is sent already.\n")
    with here.app_context():
        assert len({row.recipient for row in db.session.query(MailboxMessage)}) == 12
        db.session.remove()


def test_the_gate_is_the_same_and_an_override_is_on_record(newsletter: Command, here: Flask) -> None:
    newsletter("issues", "import", str(AUTUMN), "--list", "safeguarding-news", "--title", "Autumn")
    refused = newsletter("issues", "send", "autumn", "--now", "--wait")
    assert refused.status == 1
    assert "No test email was sent" in refused.err
    assert refused.err.count("\n") == 1
    with here.app_context():
        with transaction() as session:
            creating.change_frame(session.query(Issue).one(), subject="", actor=None, now=clock.now())
        db.session.remove()
    no_subject = newsletter("issues", "send", "autumn", "--now", "--override", "Flood")
    assert (no_subject.status, no_subject.err) == (1, "The issue has no subject yet: no mail can be made of it.\n")
    with here.app_context():
        with transaction() as session:
            creating.change_frame(session.query(Issue).one(), subject="Flood", actor=None, now=clock.now())
        db.session.remove()
    by_ruth = newsletter("issues", "send", "autumn", "--now", "--override", "Flood", "--as", "ruth@example.org")
    assert (by_ruth.status, "You may not send past the checks" in by_ruth.err) == (1, True)
    done = newsletter("issues", "send", "autumn", "--now", "--wait", "--override", "Flood", "--as", "ada@example.org")
    assert (done.status, done.err) == (0, "")
    with here.app_context():
        approval = db.session.query(Approval).one()
        assert (approval.approver_name, approval.override_reason) == ("Ada Lindqvist", "Flood")
        scheduled = db.session.query(Activity).filter_by(action="issue.scheduled").one()
        assert scheduled.detail["override_reason"] == "Flood"
        db.session.remove()


def test_a_schedule_is_made_and_taken_back(newsletter: Command, here: Flask) -> None:
    with here.app_context():
        _ready(datetime(2026, 10, 1, 9, 0, tzinfo=clock.now().tzinfo), here)
        db.session.remove()
    override = ("--override", "A trial")
    done = newsletter("issues", "schedule", "autumn", "--at", "2099-06-01T10:00", *override)
    assert (done.status, done.out) == (0, "Autumn goes out at 10am, Monday 1 June 2099 (UK time).\n")
    assert newsletter("issues", "cancel", "autumn").out == "Autumn is not scheduled any more; nothing was sent.\n"
    assert newsletter("issues", "cancel", "autumn").err == "Say why the issue is cancelled.\n"
    assert newsletter("issues", "cancel", "autumn", "--reason", "Merged").out == "Autumn is cancelled.\n"


_REFUSED = [
    ("show nothing", "There is no issue “nothing”."),
    ("show 99", "There is no issue “99”."),
    ("schedule 1 --at tomorrow", "“tomorrow” is not a date and time such as 2027-01-28T10:00."),
    (
        "schedule 1 --at 2027-03-28T01:30",
        "1:30am on Sunday 28 March 2027 does not exist: the clocks go forward then.",
    ),
    (
        "schedule 1 --at 2027-10-31T01:30",
        "1:30am, Sunday 31 October 2027 comes twice, because the clocks go back. Add +01:00 or +00:00 to it.",
    ),
    ("pause 1", "One is a draft, so it cannot become paused."),
    ("resume 1", "One is a draft, not paused."),
    ("import /no/such.txt --list a --title X", "/no/such.txt cannot be read: no such file or directory."),
    ("import / --list a --title X", "/ cannot be read: is a directory."),
    ("import /x/y.docx --list a --title X", "/x/y.docx cannot be read: no such file or directory."),
    (
        f"import {AUTUMN} --list nowhere --title X",
        "There is no list “nowhere”. newsletter lists show names them all.",
    ),
    (
        f"import {AUTUMN} --list safeguarding-news --title X --as who@example.org",
        "Nobody on the staff has the address who@example.org.",
    ),
]


@pytest.mark.parametrize(("typed", "sentence"), _REFUSED)
def test_what_cannot_be_done_is_one_sentence(newsletter: Command, typed: str, sentence: str) -> None:
    newsletter("issues", "import", "-", "--list", "safeguarding-news", "--title", "One", stdin=b"News\n\nText.")
    done = newsletter("issues", *typed.split())
    assert (done.status, done.err, done.out) == (1, f"{sentence}\n", "")


@pytest.mark.parametrize("source", [b"", b"\x00", b"x" * 2_200_000, b"\x81\x8d\x8f"])
def test_a_document_that_cannot_be_read_leaves_no_issue(newsletter: Command, source: bytes) -> None:
    done = newsletter("issues", "import", "-", "--list", "safeguarding-news", "--title", "One", stdin=source)
    assert (done.status, done.out, done.err.count("\n")) == (1, "", 1)
    assert newsletter("issues", "show", "1").status == 1


@pytest.mark.parametrize("typed", ["send 1", "render 1 --format pdf", "import x", "fly 1"])
def test_wrong_usage_is_exit_status_2(newsletter: Command, typed: str) -> None:
    done = newsletter("issues", *typed.split())
    assert (done.status, "Usage:" in done.err) == (2, True)


def test_a_deadline_that_people_were_told_is_brought_forward_by_typing_it(newsletter: Command, here: Flask) -> None:
    title = ("--title", "Autumn")
    newsletter("issues", "import", "-", "--list", "safeguarding-news", *title, stdin=b"News\n\nText.")
    set_ = newsletter("issues", "deadline", "autumn", "--at", "2099-07-03T17:00")
    assert set_.out == "News for Autumn may be sent in until 5pm, Friday 3 July 2099 (UK time).\n"
    with here.app_context(), transaction() as session:
        issue = session.query(Issue).one()
        session.add(
            Chase(
                issue_id=issue.id, kind=ChaseKind.INVITATION, deadline_version=issue.deadline_version,
                address_key="sam@police.example.org", at=clock.now(),
            )
        )  # fmt: skip
    earlier = ("issues", "deadline", "autumn", "--at", "2099-07-01T17:00")
    refused = newsletter(*earlier)
    assert refused.status == 1
    assert "type: 1 person was told 3 July 2099" in refused.err
    assert newsletter(*earlier, "--confirm", "1 person was told 3 July 2099").status == 0
    assert newsletter("issues", "deadline", "autumn", "--at", "2099-07-05").err.count("\n") <= 1
