"""Bringing in people who agreed elsewhere, from files as they come out of spreadsheets."""

import csv
import io
import sqlite3
import tempfile
import uuid
import zipfile
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, func, insert, select

from newsletter.db import db, transaction
from newsletter.domain.subscribers import (
    exporting,
    import_child,
    import_on_sqlite,
    import_packing,
    import_writing,
    importing,
    leaving,
    sealing,
    suppressing,
)
from newsletter.domain.subscribers.import_cells import key_and_address
from newsletter.domain.subscribers.import_reading import understand
from newsletter.domain.subscribers.import_rows import Task, batches
from newsletter.domain.subscribers.importing import ImportReport, import_csv
from newsletter.domain.subscribers.story import story as story_of
from newsletter.errors import Invalid
from newsletter.models import Activity, Consent, MailingList, Subscriber, Subscription
from newsletter.states import ConsentEvent, SubscriptionState, SuppressionReason
from tests import people
from tests.databases import on_postgres
from tests.dump import dump


@pytest.fixture
def quarterly(app: Flask, now: datetime) -> MailingList:
    return people.larkmere(now)


def bring_in(content: bytes | str, mailing_list: MailingList, now: datetime, *, dry_run: bool = False) -> ImportReport:
    raw = content.encode() if isinstance(content, str) else content
    return import_csv(
        io.BytesIO(raw),
        mailing_list,
        source="Conference of 3 October 2026, paper forms",
        basis_note="They ticked “send me the newsletter”.",
        dry_run=dry_run,
        actor=None,
        now=now,
    )


def read(raw: bytes) -> list[tuple[int, str, str, str]]:
    """Line, address, name and organisation of each usable line, in the file's order."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sheet.csv"
        path.write_bytes(raw)
        task = Task([(str(path), understand(path).as_dict())], ("a key",), "test", 1_000)
        packed = [batch.packed for batch in batches(task)]
    found = []
    for each in packed:
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.deserialize(each)
            found += connection.execute("SELECT line, address, name, organisation FROM incoming").fetchall()
    return sorted(found)


def addresses_on(mailing_list: MailingList) -> list[str]:
    chosen = (
        select(Subscriber.address)
        .join(Subscription)
        .where(Subscription.list_id == mailing_list.id, Subscription.state == SubscriptionState.ACTIVE)
        .order_by(Subscriber.address)
    )
    return list(db.session.scalars(chosen))


def test_people_come_with_evidence(quarterly: MailingList, now: datetime) -> None:
    report = bring_in("email,name,organisation\nasha@example.org,Asha Patel,Oakfield School\n", quarterly, now)
    assert (report.rows, report.added, report.bad) == (1, 1, 0)
    asha = db.session.scalars(select(Subscriber)).one()
    assert (asha.address, asha.name, asha.organisation) == ("asha@example.org", "Asha Patel", "Oakfield School")
    consent = db.session.scalars(select(Consent)).one()
    assert (consent.event, consent.route, consent.at) == (ConsentEvent.IMPORTED, "import", now)
    assert consent.source == "Conference of 3 October 2026, paper forms"
    assert consent.note == "They ticked “send me the newsletter”."
    story = story_of(asha)
    assert [event.what for event in story] == ["Imported to “Safeguarding news”"]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("email,name,organisation\nzoë@example.org".encode(), id="not importable"),
    ],
)
def test_an_address_with_letters_no_server_takes_is_reported(
    content: bytes, quarterly: MailingList, now: datetime
) -> None:
    assert [bad.line for bad in bring_in(content, quarterly, now).bad_rows] == [2]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_any_encoding_line_end_and_delimiter(encoding: str, end: str, delimiter: str) -> None:
    lines = [
        ("E-mail", "Organisation", "Name"),
        ("asha@example.org", "Ty Gwyn – Llŷn" if encoding != "cp1252" else "Ty Gwyn – é", "Zoë Ó Briain"),
    ]
    text = "".join(delimiter.join(cells) + end for cells in lines)
    assert [each[:3] for each in read(text.encode(encoding))] == [(2, "asha@example.org", "Zoë Ó Briain")]


@pytest.mark.parametrize(
    ("head", "line", "expected"),
    [
        ("Email Address,Full name", "a@example.org,Asha", ("a@example.org", "Asha", "")),
        (
            "First Name,Surname,Email,Company",
            "Asha,Patel,a@example.org,Oakfield",
            ("a@example.org", "Asha Patel", "Oakfield"),
        ),
        ("NAME;E-MAIL", "Asha;a@example.org", ("a@example.org", "Asha", "")),
        ("email", " A@Example.ORG ", ("A@example.org", "", "")),
        ("agency,mail", "Oakfield,a@example.org", ("a@example.org", "", "Oakfield")),
    ],
)
def test_columns_are_found_by_their_names(head: str, line: str, expected: tuple[str, str, str]) -> None:
    assert [each[1:] for each in read(f"{head}\n{line}\n".encode())] == [expected]


def test_a_file_without_a_header_is_understood() -> None:
    assert read(b"Asha Patel,asha@example.org,Oakfield\nTom,tom@example.org,\n") == [
        (1, "asha@example.org", "Asha Patel", "Oakfield"),
        (2, "tom@example.org", "Tom", ""),
    ]


@on_postgres
def test_a_backslash_is_a_backslash_quarterlyql(quarterly: MailingList, now: datetime) -> None:
    bring_in("email,name,organisation\na@example.org,Asha \\N Patel,Oak\\tfield\n", quarterly, now)
    asha = db.session.scalars(select(Subscriber)).one()
    assert (asha.name, asha.organisation) == ("Asha \\N Patel", "Oak\\tfield")


def test_who_comes_is_sealed_at_once_and_after_whoever_came_before(quarterly: MailingList, now: datetime) -> None:
    """The digests of an import are those of the record to the letter; what waits is sealed first, by the job."""
    bring_in("email\na@example.org\nb@example.org\n", quarterly, now)
    assert (sealing.verify().events, sealing.verify().unsealed) == (2, 0)
    people.subscribers(now, quarterly, 1)
    with transaction() as session:
        leaving.unsubscribe(session.scalars(select(Subscription).limit(1)).one(), route="link", now=now)
    bring_in("email\nc@example.org\n", quarterly, now)
    assert (sealing.verify().events, sealing.verify().unsealed) == (2, 2)
    sealing.seal_all(now)
    found = sealing.verify()
    assert (found.seals, found.events, found.unsealed, found.wrong) == (2, 4, 0, ())


@pytest.mark.parametrize("changed", ["nothing", "facts", "numbers"])
def test_digests_are_made_beforehand_as_long_as_all_comes_as_planned(
    quarterly: MailingList, now: datetime, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    """By whoever reads, for numbers to come; where those are taken, or the words are others by then, anew."""
    bring_in("helen@example.org\n", quarterly, now)
    if changed == "facts":
        monkeypatch.setattr(importing, "facts_of_all", lambda *_: "other words")
    numbers = import_on_sqlite.newest_numbers
    asked: list[int] = []
    anew: list[int] = []

    def newest(connection: Connection) -> tuple[int, int]:
        asked.append(1)
        return (0, 0) if changed == "numbers" and len(asked) == 1 else numbers(connection)

    def digests(*words: Any) -> list[bytes]:
        anew.append(1)
        return import_packing.digests(*words)

    monkeypatch.setattr(import_on_sqlite, "newest_numbers", newest)
    monkeypatch.setattr(import_on_sqlite, "digests", digests)
    with transaction():
        suppressing.suppress("asha@example.org", SuppressionReason.ERASED, now=now)
    report = bring_in("asha@example.org\nhelen@example.org\ntom@example.org\nzoe@example.org\n", quarterly, now)
    assert (report.added, report.already, report.suppressed) == (2, 1, 1)
    assert bool(anew) is (changed != "nothing")
    found = sealing.verify()
    assert (found.events, found.unsealed, found.wrong) == (3, 0, ())


def test_sectors_come_by_name_or_slug_and_others_are_left_out(quarterly: MailingList, now: datetime) -> None:
    """Those that every installation begins with, too, before anybody has worded them."""
    lines = (
        "a@example.org,Police",
        "b@example.org, VOLUNTARY organisation",
        "c@example.org,council",
        "d@example.org,Zoo",
    )
    bring_in("email,sector\n" + "\n".join(lines), quarterly, now)
    found = db.session.execute(select(Subscriber.address, Subscriber.sector).order_by(Subscriber.address)).all()
    assert [sector for _address, sector in found] == ["police", "voluntary", "council", ""]


def test_each_bad_line_is_named_and_the_others_go_on(quarterly: MailingList, now: datetime) -> None:
    content = (
        "email,name\n"
        "asha@example.org,Asha\n"
        "\n"
        "not an address,X\n"
        "nul@example.org,N\0ul\n"
        '"open@example.org,never closed\n'
        'tom@example.org,"Tom\nHargreave"\n'
        ",nobody\n"
        "helen@example.org\n"
    )
    report = bring_in(content, quarterly, now)
    assert [(bad.line, bad.reason) for bad in report.bad_rows] == [
        (4, "Enter one email address, without spaces."),
        (5, "The line holds a NUL character."),
        (6, "A quotation mark is opened and not closed."),
        (9, "Enter an email address."),
    ]
    assert addresses_on(quarterly) == ["asha@example.org", "helen@example.org", "tom@example.org"]
    assert report.rows == report.added + report.bad == 7


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (b"\xef\xbb\xbf\r\n \r\n", "The file is empty."),
        (b"PK\x03\x04\x14\x00\x06\x00\x08\x00spreadsheet", "The ZIP file is damaged."),
        (b"name,phone\nAsha,01632 960 111\n", "The file has no column of email addresses."),
    ],
)
def test_a_file_that_is_none_is_refused_in_words(
    content: bytes, sentence: str, quarterly: MailingList, now: datetime
) -> None:
    before = dump()
    with pytest.raises(Invalid, match=sentence):
        bring_in(content, quarterly, now)
    assert dump() == before


def test_a_file_that_is_not_there(quarterly: MailingList, now: datetime, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"missing\.csv cannot be read \(No such file or directory\)"):
        import_csv(tmp_path / "missing.csv", quarterly, source="x", actor=None, now=now)


def test_a_source_is_mandatory(quarterly: MailingList, now: datetime) -> None:
    with pytest.raises(Invalid, match="Say where these people agreed"):
        import_csv(io.BytesIO(b"a@example.org\n"), quarterly, source="  ", actor=None, now=now)


def test_nobody_is_brought_back(quarterly: MailingList, now: datetime) -> None:
    """A complaint, somebody who left, somebody erased: the file does not win over any of them."""
    readers = people.subscribers(now, quarterly, 3)
    with transaction():
        leaving.unsubscribe(readers[0], route="link", now=now)
        suppressing.suppress("angry@example.org", SuppressionReason.COMPLAINT, now=now)
        suppressing.suppress("erased@example.org", SuppressionReason.ERASED, now=now)
    report = bring_in(
        "reader1@example.org\nReader2@Example.org\nANGRY@example.org\nerased@example.org\nnew@example.org\n"
        "new@EXAMPLE.org\n",
        quarterly,
        now,
    )
    counts = (report.added, report.already, report.left, report.suppressed, report.duplicates, report.bad)
    assert counts == (1, 1, 1, 2, 1, 0)
    assert addresses_on(quarterly) == ["new@example.org", "reader2@example.org", "reader3@example.org"]


def test_a_dry_run_reports_the_same_and_writes_nothing(quarterly: MailingList, now: datetime) -> None:
    content = "email\na@example.org\nbad\nb@example.org\na@example.org\n"
    before = dump()
    dry = bring_in(content, quarterly, now, dry_run=True)
    assert dump() == before
    real = bring_in(content, quarterly, now)
    assert {**dry.as_dict(), "dry_run": False} == real.as_dict()


def test_run_again_it_adds_nobody(quarterly: MailingList, now: datetime) -> None:
    content = "email\n" + "".join(f"person{number}@example.org\n" for number in range(2_500))
    assert bring_in(content, quarterly, now).added == 2_500
    again = bring_in(content, quarterly, now)
    assert (again.added, again.already) == (0, 2_500)
    assert db.session.scalar(select(func.count(Consent.id))) == 2_500
    assert [one.detail["added"] for one in db.session.scalars(select(Activity).order_by(Activity.id))] == [2_500, 0]


def test_somebody_on_another_list_keeps_their_name(quarterly: MailingList, now: datetime) -> None:
    changes = people.policy_changes(now)
    bring_in("asha@example.org,Asha Patel\n", quarterly, now)
    report = bring_in("ASHA@example.org,somebody\n", changes, now)
    assert report.added == 1
    assert db.session.scalars(select(Subscriber)).one().name == "Asha Patel"


def test_what_leaves_cannot_be_a_formula_and_comes_back_as_it_was(quarterly: MailingList, now: datetime) -> None:
    names = ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", 'Ó\'Briain, "Zoë"']
    rows = io.StringIO()
    csv.writer(rows).writerows([["email", "name"], *([f"p{i}@example.org", name] for i, name in enumerate(names))])
    bring_in(rows.getvalue(), quarterly, now)
    exported = "".join(exporting.export_lines(quarterly))
    cells = list(csv.reader(io.StringIO(exported, newline="")))
    assert cells[0] == list(exporting.COLUMNS)
    assert [line[1] for line in cells[1:]] == ["'=HYPERLINK(1)", "'+1", "'-1", "'@SUM(A1)", 'Ó\'Briain, "Zoë"']
    assert not [cell for line in cells for cell in line if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    changes = people.policy_changes(now)
    with transaction() as session:
        for subscriber in session.scalars(select(Subscriber)):
            subscriber.name = ""
    assert [name for _line, _address, name, _organisation in read(exported.encode())] == names
    assert bring_in(exported, changes, now).added == 5


@given(st.binary(max_size=400))
def test_no_file_is_a_traceback(raw: bytes) -> None:
    try:
        read(raw)
    except Invalid as error:
        assert error.problems[0].field == "file"


@given(st.from_regex(r"[A-Za-z0-9._+'-]{1,12}@[A-Za-z0-9.-]{1,20}", fullmatch=True))
def test_the_quick_way_agrees_with_the_careful_one(typed: str) -> None:
    from newsletter import addresses

    def careful(words: str) -> tuple[str, str]:
        address = addresses.clean(words)
        return addresses.key(address), address

    def answer(way: Callable[[str], tuple[str, str]]) -> tuple[str, str] | str:
        try:
            return way(typed)
        except Invalid as error:
            return str(error)

    assert answer(key_and_address) == answer(careful)


# --- moving in from another sender -------------------------------------------------------------------------------

_MAILCHIMP = "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,LAST_CHANGED,LEID,EUID,NOTES,TAGS"


def mailchimp(now: datetime) -> bytes:
    """What Mailchimp gives: a ZIP of who is subscribed, who unsubscribed, and who was cleaned."""
    when = "2026-01-02 10:00:00"
    files = {
        "subscribed_members_export_1.csv": f"{_MAILCHIMP}\nasha@example.org,Asha,Patel,3,{when},{when},1,a,,\n"
        f"tom@example.org,Tom,Hargreave,3,{when},{when},2,b,,\n"
        f"gone@example.org,Gone,Away,3,{when},{when},3,c,,\n",
        "unsubscribed_members_export_1.csv": f"{_MAILCHIMP},UNSUB_TIME,UNSUB_REASON\n"
        f"gone@example.org,Gone,Away,3,{when},{when},3,c,,,{when},NORMAL\n"
        f"angry@example.org,An,Gry,3,{when},{when},4,d,,,{when},SPAM\n"
        f"helen@example.org,Helen,Price,3,{when},{when},4,d,,,{when},NORMAL\n",
        "cleaned_members_export_1.csv": f"{_MAILCHIMP},CLEAN_TIME\nno@example.org,,,3,{when},{when},5,e,,,{when}\n",
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def reasons(*people_asked: str) -> list[list[str]]:
    return [[one.reason.value for one in suppressing.suppressions_of(f"{name}@example.org")] for name in people_asked]


def test_moving_in_from_mailchimp(quarterly: MailingList, now: datetime) -> None:
    """Who left there is written to no more, and before anybody is: the file of those subscribed lists one of them."""
    bring_in("helen@example.org\n", quarterly, now)
    before = dump()
    looked = bring_in(mailchimp(now), quarterly, now, dry_run=True)
    assert dump() == before
    report = bring_in(mailchimp(now), quarterly, now)
    assert {**looked.as_dict(), "dry_run": False} == report.as_dict()
    assert report.kind == "mailchimp"
    assert (report.rows, report.added, report.kept_out, report.staying, report.duplicates) == (7, 2, 3, 1, 1)
    assert addresses_on(quarterly) == ["asha@example.org", "helen@example.org", "tom@example.org"]
    assert reasons("gone", "angry", "no", "helen") == [["unsubscribed_all"], ["complaint"], ["bounced"], []]


def test_moving_in_from_govdelivery(quarterly: MailingList, now: datetime) -> None:
    """A list of subscribers, and the report of those deleted, each as it comes."""
    deleted = (
        "Date Deleted,Date Created,Days Subscribed,Country Code,Destination,Deletion Reason,Deleted By\n"
        "1/2/2026,1/1/2020,2000,,gone@example.org,By Subscriber,gone@example.org\n"
        "1/2/2026,1/1/2020,2000,,no@example.org,Repeated Soft Delivery Failures,\n"
    )
    report = bring_in(deleted, quarterly, now)
    assert (report.kind, report.added, report.kept_out) == ("govdelivery", 0, 2)
    assert reasons("gone", "no") == [["unsubscribed_all"], ["bounced"]]
    listed = (
        "Destination,Subscription Created,Origin\nasha@example.org,1/1/2020,Direct\ngone@example.org,1/1/2020,Direct\n"
    )
    report = bring_in(listed, quarterly, now)
    assert (report.kind, report.added, report.suppressed) == ("govdelivery", 1, 1)
    assert addresses_on(quarterly) == ["asha@example.org"]


def test_a_column_of_states_is_heeded(quarterly: MailingList, now: datetime) -> None:
    content = "email,status\nasha@example.org,Subscribed\ngone@example.org,Unsubscribed\nno@example.org,hard bounced\n"
    report = bring_in(content, quarterly, now)
    assert (report.added, report.kept_out) == (1, 2)
    assert addresses_on(quarterly) == ["asha@example.org"]


def test_a_large_file_is_read_beside(quarterly: MailingList, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a process of its own, with the same report to the letter; one that dies is said to have died."""
    content = (
        "email,name\n" + "".join(f"p{number % 900}@example.org,Zoë {number}\n" for number in range(1_000)) + "bad\n"
    )
    beneath = bring_in(content, quarterly, now, dry_run=True)
    monkeypatch.setattr(import_child, "_WORTH_A_PROCESS", 0)
    beside = bring_in(content, quarterly, now)
    assert {**beneath.as_dict(), "dry_run": False} == beside.as_dict()
    assert (beside.added, beside.duplicates, beside.bad) == (900, 100, 1)
    with pytest.raises(RuntimeError, match="ended before the file did"):
        list(import_child._received(io.BytesIO(b"")))


@on_postgres
def test_the_same_quarterlyql(quarterly: MailingList, now: datetime) -> None:
    """COPY and one statement for two tables, and the same comes of it: moving in, and once more."""
    bring_in("helen@example.org,Helen Price\n", quarterly, now)
    looked = bring_in(mailchimp(now), quarterly, now, dry_run=True)
    report = bring_in(mailchimp(now), quarterly, now)
    assert {**looked.as_dict(), "dry_run": False} == report.as_dict()
    assert (report.rows, report.added, report.kept_out, report.staying, report.duplicates) == (7, 2, 3, 1, 1)
    assert addresses_on(quarterly) == ["asha@example.org", "helen@example.org", "tom@example.org"]
    assert db.session.scalar(select(func.count(Consent.id)).where(Consent.wording == "")) == 3
    sealing.seal_all(now)
    assert (sealing.verify().events, sealing.verify().wrong) == (3, ())
    again = bring_in(mailchimp(now), quarterly, now)
    assert (again.added, again.already, again.suppressed, again.duplicates, again.staying) == (0, 2, 3, 1, 1)


@on_postgres
def test_who_confirms_at_this_very_moment_keeps_what_they_have(
    quarterly: MailingList, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After it was looked who is there, and before anybody is written: one is on the list by now, one is known."""
    sorted_out = import_writing._sort_out

    def meanwhile(*words: Any) -> Any:
        found = sorted_out(*words)
        with db.engine.begin() as somebody_else:
            values = {"organisation": "", "sector": "", "created_at": now}
            for name in ("asha", "tom"):
                address = f"{name}@example.org"
                row = {"public_id": uuid.uuid4(), "address": address, "address_key": address, "name": "Their own"}
                somebody_else.execute(insert(Subscriber), {**row, **values})
            asha = somebody_else.scalar(select(Subscriber.id).where(Subscriber.address_key == "asha@example.org"))
            somebody_else.execute(
                insert(Subscription),
                {
                    "public_id": uuid.uuid4(),
                    "subscriber_id": asha,
                    "list_id": quarterly.id,
                    "source": "form",
                    "state": SubscriptionState.ACTIVE,
                    "joined_at": now,
                },
            )
        return found

    monkeypatch.setattr(import_writing, "_sort_out", meanwhile)
    report = bring_in("asha@example.org,A\ntom@example.org,T\nhelen@example.org,Helen\n", quarterly, now)
    assert report.added == 2
    chosen = select(Subscriber.address, Subscriber.name, Subscription.source).join(Subscription)
    assert [tuple(row) for row in db.session.execute(chosen.order_by(Subscriber.address))] == [
        ("asha@example.org", "Their own", "form"),
        ("helen@example.org", "Helen", "Conference of 3 October 2026, paper forms"),
        ("tom@example.org", "Their own", "Conference of 3 October 2026, paper forms"),
    ]
    whose = select(Subscriber.address).join(Subscription).join(Consent).order_by(Subscriber.address)
    assert list(db.session.scalars(whose)) == ["helen@example.org", "tom@example.org"]
    db.session.rollback()
    sealing.seal_all(now)
    assert (sealing.verify().events, sealing.verify().wrong) == (2, ())
