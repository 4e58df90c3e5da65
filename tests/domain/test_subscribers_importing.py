"""Bringing in people who agreed elsewhere, from files as they come out of spreadsheets."""

import csv
import io
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from newsletter.db import db, transaction
from newsletter.domain.subscribers import exporting, finding, leaving, suppressing
from newsletter.domain.subscribers.import_reading import BadRow, clean_address, open_sheet
from newsletter.domain.subscribers.importing import ImportReport, import_csv
from newsletter.errors import Invalid
from newsletter.models import Activity, Consent, MailingList, Subscriber, Subscription
from newsletter.states import ConsentEvent, SubscriptionState, SuppressionReason
from tests import people
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
    story = finding.story(asha)
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
    rows = list(open_sheet(text.encode(encoding)).rows())
    assert [(row.line, row.address, row.name) for row in rows if not isinstance(row, BadRow)] == [
        (2, "asha@example.org", "Zoë Ó Briain")
    ]


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
    (row,) = open_sheet(f"{head}\n{line}\n".encode()).rows()
    assert not isinstance(row, BadRow)
    assert (row.address, row.name, row.organisation) == expected


def test_a_file_without_a_header_is_understood() -> None:
    rows = list(open_sheet(b"Asha Patel,asha@example.org,Oakfield\nTom,tom@example.org,\n").rows())
    assert [(row.line, row.address, row.name, row.organisation) for row in rows if not isinstance(row, BadRow)] == [
        (1, "asha@example.org", "Asha Patel", "Oakfield"),
        (2, "tom@example.org", "Tom", ""),
    ]


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
        (b"PK\x03\x04\x14\x00\x06\x00\x08\x00spreadsheet", "The file has no column of email addresses."),
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
    returned = [row.name for row in open_sheet(exported.encode()).rows() if not isinstance(row, BadRow)]
    assert returned == names
    assert bring_in(exported, changes, now).added == 5


@given(st.binary(max_size=400))
def test_no_file_is_a_traceback(raw: bytes) -> None:
    try:
        list(open_sheet(raw).rows())
    except Invalid as error:
        assert error.problems[0].field == "file"


@given(st.from_regex(r"[A-Za-z0-9._+'-]{1,12}@[A-Za-z0-9.-]{1,20}", fullmatch=True))
def test_the_quick_way_agrees_with_the_careful_one(typed: str) -> None:
    from newsletter import addresses

    def answer(read: object) -> str:
        try:
            return read(typed)  # type: ignore[operator, no-any-return]
        except Invalid as error:
            return str(error)

    assert answer(clean_address) == answer(addresses.clean)
