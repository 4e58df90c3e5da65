"""News by email: it counts from when our server had it, from whom our server vouches for; nobody's words are lost."""

import io
import threading
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import format_datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from newsletter import addresses
from newsletter.config import Settings
from newsletter.db import db, transaction
from newsletter.deadlines import Deadline
from newsletter.delivery.notices import notice_mail
from newsletter.delivery.returns import inbox
from newsletter.delivery.returns.feedback import TakenIn
from newsletter.delivery.returns.routing import take_in_mail
from newsletter.domain.calls.handing_in import by_mail
from newsletter.domain.calls.partners import proving
from newsletter.domain.calls.texts import revisions
from newsletter.domain.subscribers import forgetting, suppressing
from newsletter.mail.inbound import LONGEST
from newsletter.mail.letters import LARGEST
from newsletter.models import (
    AddressProof,
    Agency,
    Contribution,
    Contributor,
    Extension,
    InboundMessage,
    Issue,
    MailingList,
    Media,
    Notice,
)
from newsletter.states import (
    ContributionSource,
    ContributionState,
    ExtensionState,
    InboundState,
    IssueState,
    SuppressionReason,
)
from tests import people, pictures
from tests.fixtures.documents.make_word import packed, paragraph, parts, picture, relations

HANDLED, IGNORED, QUARANTINED = InboundState.HANDLED, InboundState.IGNORED, InboundState.QUARANTINED
#: 5pm, Friday 11 December 2026, the deadline of December.
DEADLINE = datetime(2026, 12, 11, 17, 0, tzinfo=UTC)
NEWS = "contribute+safeguarding-news@example.org"
PASSED = "mx.example.org; dmarc=pass header.from=council.example.org"
WORD = "vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, contribute_domain="example.org", authentication_host="mx.example.org")


@pytest.fixture
def december(app: Flask, now: datetime) -> Issue:
    return people.issue(now, people.larkmere(now))


@pytest.fixture
def cara(december: Issue, now: datetime) -> Contributor:
    """Cara sends news for Larkmere Council."""
    return contributor(now, "cara@council.example.org", "Cara Bell")


def contributor(now: datetime, address: str, name: str) -> Contributor:
    with transaction() as session:
        agency = Agency(name="Larkmere Council", name_key="larkmere council", created_at=now)
        person = Contributor(
            address=address, address_key=addresses.key(address), name=name, agency=agency, created_at=now,
            approved_at=now, proved_at=now,
        )  # fmt: skip
        session.add_all([agency, person])
    return person


_written = iter(range(1, 10_000))


def letter(
    text: str = "Two half days in February.\n\nBook by 20 January.",
    *,
    sender: str = "Cara Bell <cara@council.example.org>",
    subject: str = "Training on neglect",
    to: str = NEWS,
    **headers: str,
) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Message-ID"] = f"<{next(_written)}@council.example.org>"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail


def vouched(mail: EmailMessage) -> EmailMessage:
    mail["Authentication-Results"] = PASSED
    return mail


def comes(mail: EmailMessage | bytes, received: datetime, polled: datetime | None = None) -> TakenIn:
    raw = mail if isinstance(mail, bytes) else mail.as_bytes()
    db.session.rollback()
    return take_in_mail(raw, "the mailbox", received, polled or received, kept_elsewhere=True)


def contributions() -> list[Contribution]:
    db.session.rollback()
    return list(db.session.scalars(select(Contribution).order_by(Contribution.id)))


def the_one() -> Contribution:
    (found,) = contributions()
    return found


def mails() -> list[Notice]:
    db.session.rollback()
    return list(db.session.scalars(select(Notice).order_by(Notice.id)))


def answer(now: datetime) -> str:
    """The one mail that goes back, as it leaves: its headers, and its words on one line."""
    (notice,) = mails()
    mail = message_from_bytes(notice_mail.write(notice, now).message, policy=default)
    head = "\n".join(f"{name}: {value}" for name, value in mail.items())
    body = mail.get_body(("plain",))
    assert body is not None
    return f"{head}\n\n{' '.join(body.get_content().split())}"


# --- from somebody known ----------------------------------------------------------------------------------------


def test_a_letter_from_a_known_contributor_is_handed_in(cara: Contributor, december: Issue, now: datetime) -> None:
    taken = comes(vouched(letter(subject="Re: Training on neglect")), now, now + timedelta(minutes=3))

    assert (taken.kind, taken.state, taken.settled) == ("contribution", HANDLED, True)
    found = the_one()
    assert (found.state, found.source, found.late) == (ContributionState.SUBMITTED, ContributionSource.MAIL, False)
    assert (found.issue_id, found.contributor_id, found.agency) == (december.id, cara.id, "Larkmere Council")
    assert found.title == "Training on neglect"
    assert found.data["body"] == "<p>Two half days in February.</p><p>Book by 20 January.</p>"
    assert found.proved_at is not None
    assert found.submitted_at == now
    (notice,) = mails()
    assert notice.template == "contribution_receipt"
    assert notice.address == "cara@council.example.org"


def test_our_answer_says_that_a_machine_wrote_it_and_to_what(cara: Contributor, now: datetime) -> None:
    mail = vouched(letter())
    comes(mail, now)
    written = answer(now)
    assert "Auto-Submitted: auto-replied" in written
    assert f"In-Reply-To: {mail['Message-ID']}" in written


def test_who_writes_from_the_mailbox_of_an_editor_sees_where_it_came_from(cara: Contributor, now: datetime) -> None:
    text = "New words.\n\nOn Mon, 7 Dec 2026, Ruth wrote:\n> What is new?"
    comes(vouched(letter(text)), now)

    found = the_one()
    source = db.session.get(InboundMessage, found.inbound_id)
    assert source is not None
    assert (source.source, source.subject, source.received_at) == ("the mailbox", "Training on neglect", now)
    assert found.body == "New words."
    assert [(each.revision, each.body) for each in revisions.of(found) if each.revision == 0] == [(0, text)]
    assert "We cut off the email that you answered" in answer(now)


def test_a_letter_received_in_time_and_polled_late_is_in_time(cara: Contributor, now: datetime) -> None:
    received, polled = DEADLINE - timedelta(minutes=1), DEADLINE + timedelta(minutes=20)
    comes(vouched(letter(Date=format_datetime(DEADLINE + timedelta(days=1)))), received, polled)
    found = the_one()
    assert (found.late, found.state, found.submitted_at) == (False, ContributionState.SUBMITTED, received)


def test_what_is_read_after_the_deadline_is_promised_no_hour_that_is_over(cara: Contributor, december: Issue) -> None:
    assert december.deadline is not None
    closes = december.deadline.closes_at
    comes(vouched(letter()), closes - timedelta(hours=1), closes)
    assert not the_one().late
    assert "You can edit it until" in answer(closes - timedelta(microseconds=1))
    assert "You can edit it until" not in answer(closes)


@pytest.mark.parametrize(("seconds", "late"), [(59, False), (60, True)])
def test_after_the_deadline_it_is_kept_as_late_and_its_sender_told(
    cara: Contributor, now: datetime, seconds: int, late: bool
) -> None:
    received = DEADLINE + timedelta(seconds=seconds)
    comes(vouched(letter(Date=format_datetime(now))), received)
    found = the_one()
    assert (found.late, found.state is ContributionState.DRAFT) == (late, late)
    (notice,) = mails()
    assert notice.template == ("contribution_late" if late else "contribution_receipt")


def test_more_time_counts_by_mail_too(cara: Contributor, december: Issue, now: datetime) -> None:
    with transaction() as session:
        more = Extension(
            issue_id=december.id, contributor_id=cara.id, state=ExtensionState.GRANTED, asked_at=now, decided_at=now
        )
        more.deadline = Deadline.of(DEADLINE.date() + timedelta(days=3), time(12), "Europe/London")
        session.add(more)
    comes(vouched(letter()), DEADLINE + timedelta(days=1))
    found = the_one()
    assert (found.late, found.state) == (False, ContributionState.SUBMITTED)
    assert db.session.scalars(select(Extension)).one().state is ExtensionState.USED


# --- from somebody else -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("results", ["", "mx.example.org; spf=none", "mx.evil.example.net; dmarc=pass"])
def test_nobody_is_a_known_contributor_by_writing_their_name(cara: Contributor, now: datetime, results: str) -> None:
    mail = letter()
    if results:
        mail["Authentication-Results"] = results
    comes(mail, now)
    found = the_one()
    assert (found.contributor_id, found.proved_at) == (None, None)
    assert found.prove_by == now + timedelta(hours=24)
    written = answer(now)
    assert "https://news.example.org/contribute/prove/" in written


def test_somebody_unknown_confirms_by_the_button_in_the_answer(december: Issue, now: datetime) -> None:
    comes(letter(sender="Sam Okafor <sam@police.example.org>"), now)
    found = the_one()
    assert (found.contact_name, found.contact_address) == ("Sam Okafor", "sam@police.example.org")
    assert found.proved_at is None

    with transaction():
        proof = db.session.scalars(select(AddressProof)).one()
        proving.prove_by_link(proof, now=now + timedelta(hours=1))
    found = the_one()
    assert found.proved_at is not None
    assert (found.state, found.late) == (ContributionState.SUBMITTED, False)


def test_who_waited_a_day_for_our_answer_still_has_a_day_to_confirm(december: Issue, now: datetime) -> None:
    polled = now + timedelta(days=2)
    comes(letter(sender="sam@police.example.org"), now, polled)
    assert the_one().prove_by == polled + timedelta(hours=24)


def test_a_sender_that_our_server_calls_forged_is_not_answered(cara: Contributor, now: datetime) -> None:
    mail = letter()
    mail["Authentication-Results"] = "mx.example.org; dmarc=fail header.from=council.example.org"
    taken = comes(mail, now)
    assert (taken.state, taken.settled) == (QUARANTINED, False)
    assert (contributions(), mails()) == ([], [])


def test_an_address_that_wants_no_mail_gets_none(december: Issue, now: datetime) -> None:
    with transaction():
        suppressing.suppress("sam@police.example.org", SuppressionReason.NOT_ME, now=now)
    comes(letter(sender="sam@police.example.org"), now)
    comes(letter("", sender="sam@police.example.org"), now)
    assert mails() == []


# --- machines and loops -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "subject"),
    [
        ({"Auto_Submitted": "auto-replied"}, "Training"),
        ({"Auto_Submitted": "auto-generated"}, "Training"),
        ({"Precedence": "bulk"}, "Training"),
        ({"Precedence": "list", "List_Id": "<x.example.net>"}, "Training"),
        ({"List_Id": "<x.example.net>"}, "Training"),
        ({"X_Autoreply": "yes"}, "Training"),
        ({"X_Loop": "contribute@example.org"}, "Training"),
        ({"Return_Path": "<>"}, "Training"),
        ({}, "Out of office: Training"),
        ({}, "Automatic reply: Training"),
    ],
)
def test_machines_are_neither_taken_nor_answered(
    cara: Contributor, now: datetime, headers: dict[str, str], subject: str
) -> None:
    taken = comes(vouched(letter(subject=subject, **headers)), now)
    assert taken.state in (IGNORED, QUARANTINED)
    assert (contributions(), mails()) == ([], [])


@pytest.mark.parametrize("subject", ["Absence from school: new guide", "On leave of absence", "Away from home"])
def test_news_is_no_machines_because_of_a_word_in_its_subject(cara: Contributor, now: datetime, subject: str) -> None:
    comes(vouched(letter(subject=subject)), now)
    assert the_one().title == subject


def test_our_own_mail_comes_back_to_nobody(cara: Contributor, now: datetime) -> None:
    comes(vouched(letter()), now)
    (receipt,) = mails()
    ours = notice_mail.write(receipt, now).message
    looped = b"Delivered-To: " + NEWS.encode() + b"\r\n" + ours
    assert comes(looped, now).state is IGNORED
    assert comes(letter(sender="newsletter@example.org"), now).state is IGNORED
    assert (len(contributions()), len(mails())) == (1, 1)


# --- where to, and how often ------------------------------------------------------------------------------------


def test_mail_to_other_addresses_is_none_of_it(cara: Contributor, now: datetime) -> None:
    for to in ("newsletter@example.org", "contribute+safeguarding-news@other.example.net", "b-x@example.org"):
        assert comes(letter(to=to), now).kind == "unknown"
    assert contributions() == []


def test_the_bare_address_is_enough_where_one_list_asks(cara: Contributor, december: Issue, now: datetime) -> None:
    comes(vouched(letter(to="Contribute@Example.org")), now)
    assert the_one().issue_id == december.id


def test_a_list_that_does_not_exist_is_said_with_the_right_address(december: Issue, now: datetime) -> None:
    comes(letter(to="contribute+nothing@example.org"), now)
    written = answer(now)
    assert "There is no newsletter at the address that you wrote to." in written
    assert NEWS in written
    assert contributions() == []


def test_without_a_call_people_are_told_so(december: Issue, now: datetime) -> None:
    with transaction():
        december.state, december.cancelled_at = IssueState.CANCELLED, now
    comes(letter(), now)
    assert "No call for news is open for Safeguarding news at the moment." in answer(now)
    assert contributions() == []


def test_between_two_calls_it_is_for_the_one_that_has_been_opened(
    cara: Contributor, december: Issue, now: datetime
) -> None:
    march = _march(december.mailing_list, now)
    after = DEADLINE + timedelta(days=2)
    comes(vouched(letter("For the issue that is being made.")), after)
    with transaction():
        march.call_opened_at = after
    comes(vouched(letter("For the next.")), after + timedelta(minutes=1))
    assert [(each.issue_id, each.late) for each in contributions()] == [(december.id, True), (march.id, False)]


def test_once_an_issue_is_out_news_is_kept_for_the_next(cara: Contributor, december: Issue, now: datetime) -> None:
    march = _march(december.mailing_list, now)
    with transaction():
        december.state, december.cancelled_at = IssueState.CANCELLED, now
    comes(vouched(letter()), now)
    assert the_one().issue_id == march.id


def _march(mailing_list: MailingList, now: datetime) -> Issue:
    march = people.issue(now, mailing_list, "March 2027", "march-2027")
    with transaction():
        march.deadline = Deadline.of(DEADLINE.date() + timedelta(days=91), time(17), "Europe/London")
    return march


def test_the_same_letter_by_two_ways_is_one(cara: Contributor, now: datetime) -> None:
    mail = vouched(letter()).as_bytes()
    first = comes(mail, now)
    again = comes(b"Received: by mx2.example.org; Mon, 7 Dec 2026 10:01:00 +0000\r\n" + mail, now)
    assert (first.known, again.known) == (False, True)
    assert (len(contributions()), len(mails())) == (1, 1)


def test_more_than_twenty_a_day_are_not_taken_and_not_answered_for_ever(cara: Contributor, now: datetime) -> None:
    for number in range(29):
        comes(vouched(letter(f"News number {number}")), now + timedelta(seconds=number))
    assert len(contributions()) == by_mail.MOST_A_DAY
    told = [each for each in mails() if each.template == "contribution_not_taken"]
    assert len(told) == 5
    comes(vouched(letter("The next day")), now + timedelta(days=1, minutes=1))
    assert len(contributions()) == by_mail.MOST_A_DAY + 1


def test_a_flood_from_strangers_is_not_answered_and_contributors_are_heard(
    cara: Contributor, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by_mail, "MOST_FROM_STRANGERS", 2)
    states = [comes(letter(sender=f"x{number}@example.net"), now).state for number in range(4)]
    assert states == [HANDLED, HANDLED, QUARANTINED, QUARANTINED]
    assert comes(vouched(letter()), now).state is HANDLED
    assert len(mails()) == 3


# --- what is in it ----------------------------------------------------------------------------------------------


def docx(*paragraphs: str) -> bytes:
    body = "".join(f"<w:p><w:r><w:t>{each}</w:t></w:r></w:p>" for each in paragraphs)
    namespace = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    types = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            f'<Override PartName="/word/document.xml" ContentType="{types}"/></Types>',
        )
        archive.writestr(
            "_rels/.rels",
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="1"'
            ' Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"'
            ' Target="word/document.xml"/></Relationships>',
        )
        archive.writestr("word/document.xml", f'<w:document xmlns:w="{namespace}"><w:body>{body}</w:body></w:document>')
    return made.getvalue()


def with_file(mail: EmailMessage, body: bytes, name: str, kind: str = f"application/{WORD}") -> EmailMessage:
    main, _slash, sub = kind.partition("/")
    mail.add_attachment(body, maintype=main, subtype=sub, filename=name)
    return mail


def test_an_empty_letter_with_a_word_file_is_the_file(cara: Contributor, now: datetime) -> None:
    comes(vouched(with_file(letter(""), docx("Words of the file.", "And more."), "News.docx")), now)
    found = the_one()
    assert found.data["body"] == "<p>Words of the file.</p><p>And more.</p>"
    assert found.title == "Training on neglect"


def test_the_words_beside_a_word_file_are_kept_for_the_editors(cara: Contributor, now: datetime) -> None:
    comes(vouched(with_file(letter("Please print this."), docx("Words of the file."), "News.docx")), now)
    found = the_one()
    assert found.body == "Words of the file."
    (original,) = [each.body for each in revisions.of(found) if each.revision == 0]
    assert original == "Please print this.\n\n[News.docx]\n\nWords of the file."
    assert "We took your news from the Word file." in answer(now)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 500, "one with a password. Save it as .docx without a password."),
        (b"PK\x03\x04broken", "The Word document is damaged."),
        (b"%PDF-1.7", "A PDF has lost its paragraphs."),
        (b"just text", "It is no Word document (.docx)."),
    ],
)
def test_a_word_file_that_cannot_be_read_is_said_and_the_words_are_taken(
    cara: Contributor, now: datetime, body: bytes, sentence: str
) -> None:
    comes(vouched(with_file(letter("My words."), body, "News.docx")), now)
    assert the_one().body == "My words."
    written = answer(now)
    assert "We could not read News.docx." in written
    assert sentence in written


def test_where_nothing_can_be_read_the_sender_is_told_why(cara: Contributor, now: datetime) -> None:
    broken = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    assert comes(vouched(with_file(letter(""), broken, "News.doc", "application/msword")), now).state is IGNORED
    written = answer(now)
    assert "We could not take your email" in written
    assert "We left out 1 file (News.doc)." in written
    assert "We found no words in your email." in written
    assert contributions() == []


def test_pictures_and_other_files_are_counted_and_named(cara: Contributor, now: datetime) -> None:
    mail = letter()
    for name, kind in (("boat.jpg", "image/jpeg"), ("logo.png", "image/png"), ("Plan.pdf", "application/pdf")):
        with_file(mail, b"xx", name, kind)
    comes(vouched(mail), now)
    written = answer(now)
    assert "We left out 2 pictures (boat.jpg, logo.png)." in written
    assert "We left out 1 file (Plan.pdf)." in written


def test_pictures_are_taken_in_and_wait_for_a_description(cara: Contributor, december: Issue, now: datetime) -> None:
    body = "".join([paragraph("Words of the file."), paragraph(picture("rIdLake", "The lake at noon"))])
    relation = relations(("rIdLake", "image", "media/lake.jpg", False))
    file = packed({
        **parts(body), "word/_rels/document.xml.rels": relation, "word/media/lake.jpg": pictures.from_a_phone(600, 400)
    })  # fmt: skip
    mail = with_file(letter(""), file, "News.docx")
    for name, content in (("map.png", pictures.drawing()), ("mark.png", pictures.drawing(80, 80))):
        with_file(mail, content, name, "image/png")
    comes(vouched(mail), now)
    found = the_one()
    assert [each["alt"] for each in found.pictures] == ["The lake at noon", ""]
    written = " ".join(answer(now).split())
    assert "We took in 2 pictures." in written
    assert "We left out 1 picture (mark.png)." in written
    kept = db.session.scalars(select(Media).order_by(Media.id)).all()
    assert [each.name for each in kept] == [each["media"] for each in found.pictures]
    assert b"Larkmere Cameras" not in kept[0].body


def test_outlooks_packet_is_said(cara: Contributor, now: datetime) -> None:
    comes(vouched(with_file(letter(), b"x\x9f>", "winmail.dat", "application/ms-tnef")), now)
    assert "winmail.dat" in answer(now)
    assert len(contributions()) == 1


def test_html_alone_becomes_words_and_nothing_that_acts(cara: Contributor, now: datetime) -> None:
    mail = letter()
    mail.set_content(
        "<style>p{}</style><p onclick=x()>Read <a href='https://a.example.org/x'>the guide</a>.</p>"
        "<script>alert(1)</script><ul><li>One</ul>",
        subtype="html",
    )
    comes(vouched(mail), now)
    found = the_one()
    assert found.data["body"] == '<p>Read <a href="https://a.example.org/x">the guide</a>.</p><ul><li>One</li></ul>'


def test_a_very_long_letter_is_kept_whole(cara: Contributor, now: datetime) -> None:
    words = "word " * 10_000
    comes(vouched(letter(words)), now)
    assert len(the_one().body.split()) == 10_000


def test_what_is_too_large_is_said_and_not_kept(cara: Contributor, now: datetime) -> None:
    mail = vouched(with_file(letter("Words"), b"x" * (LARGEST // 4 * 3 + 200_000), "film.bin", "application/x-film"))
    raw = mail.as_bytes()
    assert len(raw) > LARGEST
    db.session.rollback()
    taken = take_in_mail(raw[:LONGEST], "the mailbox", now, now, whole=lambda most: raw[:most])
    assert taken.state is IGNORED
    assert "Your email has more than 10 MB." in answer(now)
    assert contributions() == []


def test_a_large_letter_is_fetched_whole(cara: Contributor, now: datetime) -> None:
    raw = vouched(with_file(with_file(letter(""), b"x" * LONGEST, "a.bin", "image/png"), docx("Last."), "b.docx"))
    raw_bytes = raw.as_bytes()
    db.session.rollback()
    take_in_mail(raw_bytes[:LONGEST], "the mailbox", now, now, whole=lambda most: raw_bytes[:most])
    assert the_one().body == "Last."


def test_what_no_mail_program_builds_is_set_aside_and_not_answered(december: Issue, now: datetime) -> None:
    head = f"From: x@example.net\r\nTo: {NEWS}\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n".encode()
    taken = comes(head + b"--b\r\n\r\nx\r\n" * 10_000, now)
    assert taken.state is QUARANTINED
    assert (contributions(), mails()) == ([], [])
    assert comes(head + b"--b\r\n\r\nx\r\n" * 10_000, now).known


def test_a_letter_that_names_nobody_is_set_aside(december: Issue, now: datetime) -> None:
    assert comes(f"From: a@x.example, b@x.example\r\nTo: {NEWS}\r\n\r\nText".encode(), now).state is QUARANTINED
    assert (contributions(), mails()) == ([], [])


def test_hostile_words_are_words(cara: Contributor, now: datetime) -> None:
    text = "<script>alert(1)</script> {unsubscribe_url} {{ 7*7 }}\n\x00\x07=cmd|'/c calc'"
    comes(vouched(letter(text, subject="<b>Bold</b> {name}")), now)
    found = the_one()
    assert found.title == "<b>Bold</b> {name}"
    assert "<script>" not in found.data["body"]
    assert "<script>alert(1)</script> {unsubscribe_url} {{ 7*7 }}" in found.body
    answer(now)


def test_whoever_is_erased_leaves_no_letter_behind(cara: Contributor, now: datetime) -> None:
    comes(vouched(letter("News.\n\n-- \nCara Bell, 01632 960 117")), now)
    with transaction():
        forgetting.erase_address("cara@council.example.org", route="test", now=now)
    found = the_one()
    source = db.session.get(InboundMessage, found.inbound_id)
    assert source is not None
    assert (source.subject, source.raw) == ("", None)
    assert [each.body for each in revisions.of(found) if each.revision == 0] == [""]


def test_two_readers_of_one_mailbox_take_a_letter_once(app: Flask, cara: Contributor, now: datetime) -> None:
    raw, gate = vouched(letter()).as_bytes(), threading.Barrier(2)

    def reads(_reader: int) -> TakenIn:
        with app.app_context():
            gate.wait(30)
            try:
                return take_in_mail(raw, "the mailbox", now, now)
            finally:
                db.session.remove()

    with ThreadPoolExecutor(2) as readers:
        taken = list(readers.map(reads, range(2)))
    assert sorted(each.known for each in taken) == [False, True]
    assert (len(contributions()), len(mails())) == (1, 1)


# --- through a real mailbox -------------------------------------------------------------------------------------


def test_one_mailbox_holds_both_news_and_what_came_back(
    app: Flask, cara: Contributor, tmp_path: Path, now: datetime
) -> None:
    folder = tmp_path / "mail"
    for name in ("new", "cur", "tmp"):
        (folder / name).mkdir(parents=True)
    stamp = f"Received: by mx.example.org; {format_datetime(DEADLINE - timedelta(minutes=1))}\r\n".encode()
    (folder / "new" / "1").write_bytes(stamp + vouched(letter()).as_bytes())
    (folder / "new" / "2").write_bytes(letter(to="newsletter@example.org").as_bytes())
    app.config["NEWSLETTER"] = replace(app.config["NEWSLETTER"], inbound_url=f"maildir:{folder}")
    db.session.rollback()

    looked = inbox.read_inbound(lambda: DEADLINE + timedelta(minutes=20))

    assert looked is not None
    assert (looked.problem, dict(looked.taken)) == ("", {"contribution": 1, "unknown": 1})
    assert the_one().late is False
    assert db.session.scalar(select(func.count()).select_from(InboundMessage)) == 2
    read = {path.name for path in (folder / "cur").iterdir()}
    assert read == {"1:2,S", "2:2,"}, "the letter to the editors stays unread"


def test_no_address_for_news_without_a_domain(app: Flask, december: Issue) -> None:
    assert by_mail.address_for(december.mailing_list) == NEWS
    app.config["NEWSLETTER"] = replace(app.config["NEWSLETTER"], contribute_domain=None)
    assert by_mail.address_for(december.mailing_list) is None
    assert by_mail.addressed_to(letter().as_bytes()) is None


def test_a_defect_of_ours_loses_no_letter(cara: Contributor, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_given: object, **_named: object) -> Callable[[], None]:
        raise RuntimeError("a defect")

    monkeypatch.setattr(by_mail, "take", broken)
    taken = comes(vouched(letter()), now)
    assert (taken.state, taken.settled) == (QUARANTINED, False)
    kept = db.session.scalars(select(InboundMessage)).one()
    assert b"Two half days" in (kept.raw or b"")
