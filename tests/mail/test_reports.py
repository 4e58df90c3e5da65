"""What comes back is understood in whatever form it comes, and nothing that comes can break the reader."""

import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.mail.bounce_rules import kind_of
from newsletter.mail.mime_parts import MOST_PARTS, Part
from newsletter.mail.reports import LONGEST, Arf, Automatic, Dsn, Unknown, read_report
from newsletter.states import FeedbackKind
from tests.mail.report_corpus import NAMES, READER, load, marks

HARD, SOFT, POLICY = FeedbackKind.HARD, FeedbackKind.SOFT, FeedbackKind.POLICY
#: Each report on delivery: what it says, and what that means for the address.
DSNS = {
    "postfix_unknown_user": ("failed", "5.1.1", HARD),
    "postfix_delayed": ("delayed", "4.4.1", None),
    "postfix_success": ("delivered", "2.0.0", None),
    "postfix_expired": ("failed", "4.4.7", SOFT),
    "postfix_spam": ("failed", "5.7.1", POLICY),
    "exim_unknown_user": ("failed", "5.0.0", HARD),
    "exim_old_form": ("failed", "5.2.1", HARD),
    "microsoft_365_not_found": ("failed", "5.1.10", HARD),
    "exchange_mailbox_full": ("failed", "5.2.2", SOFT),
    "gmail_not_found": ("failed", "5.1.1", HARD),
    "yahoo_no_account": ("failed", "", HARD),
    "proofpoint_unknown_user": ("failed", "5.1.1", HARD),
    "qmail_no_mailbox": ("failed", "5.1.1", HARD),
    "groupware_in_words": ("failed", "", SOFT),
    "forged": ("failed", "5.1.1", HARD),
}


@pytest.mark.parametrize("name", DSNS)
def test_a_report_on_delivery_says_who_what_and_why(name: str) -> None:
    report = read_report(load(name))
    action, status, kind = DSNS[name]
    assert isinstance(report, Dsn)
    (about,) = report.recipients
    assert (about.final_recipient, about.action, about.status) == (READER, action, status)
    assert kind_of(about.action, about.status, about.diagnostic) is kind
    assert about.diagnostic
    assert "\n" not in about.diagnostic


@pytest.mark.parametrize("name", sorted(set(DSNS) - {"forged"}))
def test_a_report_on_delivery_leads_back_to_the_message(name: str) -> None:
    ours, traces = marks(), read_report(load(name)).traces
    found = {*traces.tags, *traces.message_ids, *traces.unsubscribe_tokens}
    assert found & set(ours.values())
    assert {tag for tag in traces.tags if tag.startswith("b-")} <= {ours["TAG"]}


def test_the_words_of_the_other_server_are_kept_in_one_line() -> None:
    (about,) = read_report(load("gmail_not_found")).recipients
    assert about.diagnostic.startswith("550-5.1.1 The email account that you tried to reach does not exist. Please")
    assert about.remote_mta.startswith("gmail-smtp-in.l.google.com.")
    (qmail,) = read_report(load("qmail_no_mailbox")).recipients
    assert qmail.diagnostic == "Sorry, no mailbox here by that name. (#5.1.1)"


@pytest.mark.parametrize(("name", "why"), [
    ("vacation_english", "Auto-Submitted: auto-replied"),
    ("vacation_german", "its subject says so"),
    ("read_receipt", "a receipt"),
])  # fmt: skip
def test_an_answering_machine_is_no_report_whatever_it_quotes(name: str, why: str) -> None:
    report = read_report(load(name))
    assert isinstance(report, Automatic)
    assert report.why == why


@pytest.mark.parametrize("name", ["arf_abuse", "hotmail_junk"])
def test_a_complaint_leads_back_to_the_message_though_the_address_is_hidden(name: str) -> None:
    report = read_report(load(name))
    assert isinstance(report, Arf)
    assert report.feedback_type == "abuse"
    assert marks()["MESSAGE_ID"] in report.traces.message_ids


def test_a_complaint_withdrawn_is_read_as_what_it_is() -> None:
    report = read_report(load("arf_not_spam"))
    assert isinstance(report, Arf)
    assert report.feedback_type == "not-spam"


def test_a_complaint_in_disorder_is_not_guessed_at() -> None:
    report = read_report(load("arf_malformed"))
    assert isinstance(report, Unknown)
    assert report.from_mail_system


def test_a_letter_is_a_letter_though_it_speaks_of_bounces() -> None:
    report = read_report(load("letter"))
    assert isinstance(report, Unknown)
    assert not report.from_mail_system


def test_a_daemon_that_says_nothing_is_left_to_a_person() -> None:
    report = read_report(load("daemon_that_says_nothing"))
    assert isinstance(report, Unknown)
    assert report.from_mail_system
    assert report.subject == "<script>alert(1)</script> Something went wrong"


def test_the_same_report_with_bare_line_feeds_is_the_same() -> None:
    for name in DSNS:
        raw = load(name)
        assert read_report(raw.replace(b"\r\n", b"\n")) == read_report(raw), name


@pytest.mark.parametrize(("action", "status", "words", "kind"), [
    ("delayed", "4.2.2", "452 4.2.2 Mailbox full", None),
    ("relayed", "2.0.0", "", None),
    ("expanded", "2.0.0", "", None),
    ("", "5.1.1", "", None),
    ("FAILED", "5.1.1", "", HARD),
    ("failed", "5.1.2", "Host or domain name not found", HARD),
    ("failed", "5.1.0", "550 5.1.0 Address rejected", HARD),
    ("failed", "5.1.0", "550 5.1.0 <newsletter@example.org> sender rejected", POLICY),
    ("failed", "5.1.8", "553 5.1.8 Domain of sender address does not exist", POLICY),
    ("failed", "5.2.1", "550-5.2.1 The email account that you tried to reach is disabled.", HARD),
    ("failed", "5.2.1", "550 5.2.1 The user you are trying to contact is receiving mail at a rate that …", SOFT),
    ("failed", "5.2.2", "552-5.2.2 The email account that you tried to reach is over quota", SOFT),
    ("failed", "5.2.3", "552 5.2.3 Message length exceeds the limit", POLICY),
    ("failed", "4.4.7", "Delivery time expired", SOFT),
    ("failed", "4.7.0", "451 4.7.0 Temporary server error, PRX", POLICY),
    ("failed", "5.4.1", "550 5.4.1 Recipient address rejected: Access denied.", HARD),
    ("failed", "5.4.4", "Host found but no data record of requested type", SOFT),
    ("failed", "5.4.14", "Hop count exceeded - possible mail loop", SOFT),
    ("failed", "5.5.0", "550 5.5.0 Requested action not taken: mailbox unavailable", HARD),
    ("failed", "5.0.0", "550 permanent failure for one or more recipients (tom@example.org:550 5.1.1 blah)", HARD),
    ("failed", "5.0.0", "554 Message not allowed - [PH01] Email not accepted for policy reasons.", POLICY),
    ("failed", "5.3.0", "553 5.3.0 <tom@example.org>... No such user here", HARD),
    ("failed", "5.3.4", "552 5.3.4 Message size exceeds fixed limit", POLICY),
    ("failed", "5.6.0", "554 5.6.0 Corrupt message content", POLICY),
    ("failed", "5.7.1", "550 5.7.1 User unknown, or so we say", POLICY),
    ("failed", "5.7.26", "550-5.7.26 This mail has been blocked because the sender is unauthenticated.", POLICY),
    ("failed", "5.7.515", "550 5.7.515 Access denied, sending domain doesn't meet the required level", POLICY),
    ("failed", "5.1.1", "550 5.7.1 blocked using a list", POLICY),
    ("failed", "", "550 Invalid Recipient - https://mimecast.example.org/550", HARD),
    ("failed", "", "552 1 Requested mail action aborted, mailbox not found", HARD),
    ("failed", "", "552 5.2.2 mailbox is full", SOFT),
    ("failed", "", "Sorry, I couldn't find any host by that name. (#4.1.2)", SOFT),
    ("failed", "", "Sorry, it did not work out", SOFT),
    ("failed", "", "", SOFT),
])  # fmt: skip
def test_what_a_failure_says_of_the_address(action: str, status: str, words: str, kind: FeedbackKind | None) -> None:
    assert kind_of(action, status, words) is kind


def test_a_server_named_by_numbers_is_no_status() -> None:
    assert kind_of("failed", "", "host mx.example.org[5.1.1.25] said: later") is SOFT
    assert kind_of("failed", "", "host 10.5.1.1 said: later") is SOFT


# --- whatever comes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_every_mail_may_be_cut_off_anywhere(name: str) -> None:
    raw = load(name)
    for end in range(0, len(raw), 7):
        read_report(raw[:end])
        read_report(raw[end:])


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=2_000))
def test_any_bytes_are_read_without_a_complaint(raw: bytes) -> None:
    read_report(raw)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(NAMES), st.data())
def test_a_mail_may_be_damaged_anyhow(name: str, data: st.DataObject) -> None:
    raw = bytearray(load(name))
    for _turn in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(raw)))
        end = min(len(raw), place + data.draw(st.integers(0, 200)))
        raw[place:end] = data.draw(st.binary(max_size=60))
    report = read_report(bytes(raw))
    assert report.subject.isprintable() or not report.subject


NASTY = {
    "nested": b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (number, number) for number in range(9_000)
    ),
    "many parts": b"Content-Type: multipart/report; boundary=x\r\n\r\n" + b"--x\r\n\r\n" * 60_000,
    "many headers": b"From: mailer-daemon@x\r\nX: y\r\n" * 15_000 + b"\r\n",
    "one header": b"From: mailer-daemon@x\r\nSubject: " + b"=?utf-8?q?" * 40_000 + b"\r\n\r\nx",
    "folded": b"From: mailer-daemon@x\r\nSubject: x" + b"\r\n x" * 100_000,
    "blanks": b"From: mailer-daemon@x\r\n\r\n" + b" \n" * 200_000,
    "spaces": b"From: mailer-daemon@x\r\n\r\n" + b"550 " + b" " * 400_000 + b"x",
    "brackets": b"From: mailer-daemon@x\r\n\r\n" + b"<a@b" * 100_000,
    "addresses": b"From: mailer-daemon@x\r\nX-Failed-Recipients: " + b"a@b.example, " * 30_000 + b"\r\n\r\nx",
    "groups": b"Content-Type: message/delivery-status\r\n\r\n" + b"Action: failed\r\nStatus: 5.1.1\r\n\r\n" * 15_000,
    "base64": b"From: mailer-daemon@x\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b"QUFB\r\n" * 80_000,
    "statuses": b"From: mailer-daemon@x\r\n\r\n" + b"5.1." * 100_000,
    "hyphens": b"Content-Type: multipart/mixed; boundary=-\r\n\r\n" + b"\r\n--" * 100_000,
}  # fmt: skip


@pytest.mark.parametrize("name", NASTY)
def test_a_mail_made_to_break_the_reader_costs_little(name: str) -> None:
    began = time.process_time()
    read_report(NASTY[name])
    assert time.process_time() - began < 5, "a second or less where nobody else works; minutes if it were quadratic"


def test_only_so_much_of_a_mail_is_looked_at() -> None:
    assert len(Part.of(NASTY["many parts"]).parts()) == MOST_PARTS
    hidden = b"From: mailer-daemon@example.org\r\n\r\n" + b"x" * LONGEST + load("qmail_no_mailbox")
    assert isinstance(read_report(hidden), Unknown)


def test_a_mail_within_the_mail_is_one_part_and_what_hangs_on_it_is_not_opened() -> None:
    inner = load("postfix_unknown_user")
    outer = (
        b"From: a@example.org\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n"
        b"--o\r\nContent-Type: message/rfc822\r\n\r\n"
    )
    report = read_report(outer + inner + b"\r\n--o--\r\n")
    assert isinstance(report, Unknown), "somebody who forwards a report has not made one"
    assert not report.from_mail_system


def test_charsets_that_are_none_are_read_as_text() -> None:
    for charset in ("unicode_escape", "idna", "hex", "undefined", "punycode", "utf-16", "no-such", "x" * 5_000):
        raw = b"Content-Type: text/plain; charset=" + charset.encode() + b"\r\n\r\n\\x\xff.\x00\\N{nothing}"
        assert Part.of(raw).text()


def test_without_the_package_for_odd_forms_there_is_a_sentence() -> None:
    program = (
        "import sys; sys.modules['flufl'] = sys.modules['flufl.bounce'] = None\n"
        "from newsletter.mail.reports import Unknown, read_report\n"
        "report = read_report(sys.stdin.buffer.read())\n"
        "assert isinstance(report, Unknown) and report.from_mail_system\n"
        "print(report.why)"
    )
    done = subprocess.run([sys.executable, "-c", program], input=load("qmail_no_mailbox"), capture_output=True)
    assert done.stdout.decode().strip().endswith("pip install 'newsletter[inbound]'"), done.stderr.decode()
