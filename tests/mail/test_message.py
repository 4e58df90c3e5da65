"""The bytes of a mail: what leaves, not what an object says of itself."""

import random
import re
from datetime import UTC, datetime, timedelta, timezone
from email.header import decode_header, make_header
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.policy import default
from email.utils import parseaddr

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.errors import Invalid
from newsletter.mail import header_text, quoted_printable
from newsletter.mail.message import (
    SAMPLE_RECIPIENT,
    CompiledMessage,
    Mailbox,
    Recipient,
    bare_message_id,
    build_single,
    compile_message,
)
from newsletter.mail.plain_twin import verify

from .conftest import DATE, HTML, TEXT, larkmere, reader

GOLDEN = b"""\
Date: Tue, 12 Jan 2027 09:30:00 +0000
From: "Larkmere Partnership, News" <news@larkmere.example.org>
Reply-To: office@larkmere.example.org
Subject: =?utf-8?q?Winter_news_=E2=80=93_please_read?=
To: Asha Patel <reader1@example.org>
Message-ID: <1.winter@news.example.org>
List-Unsubscribe: <https://news.example.org/u/0000000000000000000000000000000000000001>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
List-Id: Larkmere news <news.larkmere.example.org>
Precedence: bulk
MIME-Version: 1.0
Content-Language: cy
Content-Type: multipart/alternative;
 boundary="BOUNDARY"

--BOUNDARY
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

=2Edot t=C5=B7
=46rom here
Leave:=20=
https://news.example.org/u/0000000000000000000000000000000000000001=
=2E
https://news.example.org/p/0000000000000000000000000000000000000001=


--BOUNDARY
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

<a href=3D"=
https://news.example.org/u/0000000000000000000000000000000000000001=
">Leave</a><a href=3D"=
https://news.example.org/p/0000000000000000000000000000000000000001=
">Choose</a>

--BOUNDARY--
""".replace(b"\n", b"\r\n")


def parsed(octets: bytes) -> EmailMessage:
    message = BytesParser(policy=default).parsebytes(octets)
    assert isinstance(message, EmailMessage)
    assert not [part.defects for part in message.walk() if part.defects]
    return message


def words(part: EmailMessage) -> str:
    """A part's text with LF line ends."""
    return str(part.get_content()).replace("\r\n", "\n")


def addressee(octets: bytes) -> Mailbox:
    """The To header as mail programs show it. (The newer parser puts spaces between encoded words, RFC 2047 §6.2.)"""
    name, address = parseaddr("".join(BytesParser().parsebytes(octets)["To"].splitlines()))
    return Mailbox(str(make_header(decode_header(name))), address)


def header_lines(octets: bytes) -> list[bytes]:
    return octets.partition(b"\r\n\r\n")[0].split(b"\r\n")


def without_boundary(octets: bytes) -> bytes:
    found = re.search(rb'boundary="([^"]+)"', octets)
    assert found
    return octets.replace(found[1], b"BOUNDARY")


def test_the_whole_of_a_mail() -> None:
    compiled = larkmere(
        text=".dot tŷ\r\nFrom here\rLeave: {unsubscribe_url}.\n{preferences_url}",
        html='<a href="{unsubscribe_url}">Leave</a><a href="{preferences_url}">Choose</a>',
        subject="  Winter news –\u00a0 please read ",
        sender=Mailbox("Larkmere Partnership, News", "news@larkmere.example.org"),
        language="cy",
    )
    octets = compiled.fill(reader())
    assert without_boundary(octets) == GOLDEN
    verify(compiled)


def test_the_same_input_gives_the_same_bytes_and_another_reader_only_other_slots() -> None:
    first, again = larkmere(), larkmere()
    assert first.fill(reader(1)) == again.fill(reader(1))
    assert first.digest() == again.digest() != larkmere(subject="Another").digest()
    one, two = first.fill(reader(1)), first.fill(reader(2))
    assert one != two
    assert (
        one.replace(b"%040d" % 1, b"%040d" % 2).replace(b"1.winter", b"2.winter").replace(b"reader1", b"reader2") == two
    )
    assert first.as_eml(reader(1)) == one


def test_what_is_filled_is_ready_for_the_wire() -> None:
    octets = larkmere(text=".\r\r\n.\n..\rx\n{unsubscribe_url}.{preferences_url}\n.").fill(reader())
    assert octets.endswith(b"\r\n")
    assert not re.search(rb"\n\.|[^\r]\n|\r[^\n]", octets)


def test_readers_do_not_leak_into_each_other() -> None:
    compiled = larkmere()
    for number in range(50):
        octets = compiled.fill(reader(number))
        assert set(re.findall(rb"/[up]/(\d+)", octets)) == {b"%040d" % number}
        assert octets.count(b"%040d" % number) == 5
        assert re.findall(rb"reader(\d+)@", octets) == [str(number).encode()]


@pytest.mark.parametrize("body", ["html", "text"])
@pytest.mark.parametrize("slot", ["{unsubscribe_url}", "{preferences_url}"])
def test_a_body_without_a_way_out_does_not_compile(body: str, slot: str) -> None:
    bodies = {"html": HTML, "text": TEXT}
    bodies[body] = bodies[body].replace(slot, "https://news.example.org/")
    with pytest.raises(ValueError, match=re.escape(slot)):
        larkmere(**bodies)


def test_a_long_one_click_link_stands_on_one_line_as_it_is() -> None:
    url = "https://news.example.org/sub-path/u/" + "Ab-_9" * 60
    octets = larkmere().fill(Recipient("a@example.org", "", "x@example.org", url, url))
    lines = header_lines(octets)
    at = lines.index(f"List-Unsubscribe: <{url}>".encode())
    assert lines[at + 1] == b"List-Unsubscribe-Post: List-Unsubscribe=One-Click"
    assert b"=?" not in b"".join(lines)
    assert max(map(len, octets.partition(b"\r\n\r\n")[2].split(b"\r\n"))) <= 76


def test_one_line_of_html_of_50_kilobytes_is_cut_where_nothing_shows() -> None:
    html = "<p>" + "tŷ 🐦 اردو &amp; " * 4000 + HTML + "</p>"
    compiled = larkmere(html=html)
    verify(compiled)
    body = parsed(compiled.fill(reader())).get_body(("html",))
    assert body is not None
    assert body.get_content().startswith("<p>tŷ 🐦 اردو &amp; tŷ")


def test_an_ampersand_in_a_link_is_escaped_in_html_only() -> None:
    url = "https://news.example.org/u?t=1&l=2"
    message = parsed(larkmere().fill(Recipient("a@example.org", "", "x@example.org", url, url)))
    plain, rich = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert rich is not None
    assert f"Leave: {url}\n" in words(plain)
    assert 'href="https://news.example.org/u?t=1&amp;l=2"' in rich.get_content()


@pytest.mark.parametrize(
    "url",
    ["", "/u/1", "ftp://example.org/", "https://example.org/ x", "https://example.org/\r\nBcc: x", "https://example.org/é",
     "https://example.org/>", 'https://example.org/"', "javascript:alert(1)", "https://example.org/{preferences_url}"],
)  # fmt: skip
def test_a_link_that_is_none_is_refused(url: str) -> None:
    for links in ({"unsubscribe_url": url}, {"preferences_url": url}):
        given_ = {"unsubscribe_url": "https://e.org/", "preferences_url": "https://e.org/"} | links
        with pytest.raises(ValueError, match="URL"):
            larkmere().fill(Recipient("a@example.org", "", "x@example.org", **given_))


@pytest.mark.parametrize(
    "message_id", ["", "x", "<x>", "a b@example.org", "a@example.org>\r\nBcc: x", "a@b@c d", "é@e.org"]
)
def test_a_message_id_that_is_none_is_refused(message_id: str) -> None:
    with pytest.raises(ValueError, match="Message-ID"):
        bare_message_id(message_id)


def test_a_message_id_may_come_in_brackets() -> None:
    assert bare_message_id("<a.b@example.org>") == bare_message_id("a.b@example.org") == "a.b@example.org"


@pytest.mark.parametrize(
    "address",
    [
        "a@example.org\r\nBcc: x@example.org",
        "a b@example.org",
        "a@exämple.org",
        "zoë@e.org",
        "a",
        "<a@e.org>",
        "a,b@e.org",
    ],
)
def test_an_address_that_cannot_stand_in_a_header_is_refused(address: str) -> None:
    with pytest.raises(Invalid):
        larkmere().fill(reader(address=address))


HOSTILE = [
    "", " ", "Asha", "Asha Patel", "O'Brien-Smith", "Patel, Asha", 'Asha "Ash" Patel', "back\\slash", ".", ".dot",
    "@", "a@b.c", "<b>bold</b>", "Asha <evil@example.org>", "=?utf-8?q?fake?=", "=?utf-8?q?fa ke", "From here", "Ünï",
    "=", "a=b", "(comment)", "Zoë", "علی رضا", "李小龍", "דוד", "Nguyễn Thị Minh Khai", "🐦" * 60, "é" * 60, "a" * 60,
    "a" * 200, "é" * 200, "ﷺ" * 30, "e\u0301" * 60, "👩\u200d👩\u200d👧" * 20, "a " * 30, '"' * 60, "\\" * 60,
    "x: y; z", "a\u00a0b", "\u200bzero", "نام\u200cخانوادگی",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_any_name_comes_through_whole(name: str) -> None:
    octets = larkmere().fill(reader(name=name))
    to = addressee(octets)
    assert to.address == "reader1@example.org"
    shown = " ".join(name.split())
    assert shown.startswith(to.name)
    assert len(to.name) >= min(len(shown), 50)
    check_header_lines(octets)


def check_header_lines(octets: bytes) -> None:
    lines = header_lines(octets)
    assert all(re.match(rb"[A-Za-z-]+: \S| \S", line) for line in lines)
    assert not [line for line in lines if len(line) > 78 and not line.startswith((b"List-Unsubscribe:", b" <"))]
    assert b"?==?" not in octets
    assert all(len(word) <= 75 for word in re.findall(rb"=\?\S+\?=", b"\r\n".join(lines)))
    labels = [line.partition(b":")[0].lower() for line in lines if not line.startswith(b" ")]
    assert len(labels) == len(set(labels))


@pytest.mark.parametrize(
    "bad", ["\r", "\n", "\r\nBcc: evil@example.org", "\x00", "\x1b[31m", "\u2028", "\u202egro", "\ud800"]
)
def test_control_characters_are_refused_in_words(bad: str) -> None:
    name = f"Asha{bad}"
    with pytest.raises(Invalid, match="control characters") as caught:
        larkmere().fill(reader(name=name))
    assert caught.value.problems[0].field == "name"
    for changes in (
        {"subject": name},
        {"sender": Mailbox(name, "a@example.org")},
        {"reply_to": Mailbox(name, "a@example.org")},
    ):
        with pytest.raises(Invalid, match="control characters"):
            larkmere(**changes)


def test_a_name_is_never_cut_inside_a_character() -> None:
    family = "👩\u200d👩\u200d👧"
    assert addressee(larkmere().fill(reader(name="x" * 58 + family))).name == "x" * 58
    assert addressee(larkmere().fill(reader(name="x" * 59 + "e\u0301"))).name == "x" * 59


printable = st.characters(
    exclude_categories=["Cc", "Cs", "Zl", "Zp"],
    exclude_characters="\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
)
names = st.text(printable, max_size=60) | st.text(st.sampled_from(' "\\<>,;:()=?@._-éa李'), max_size=60)
tokens = st.text(
    st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=&"), min_size=1, max_size=300
)
pieces = [*".=\r\n \tFrom éa李🐦<&>", "From ", "\r\n", "{unsubscribe_url}", "{preferences_url}", "x" * 70]
bodies = st.lists(st.sampled_from(pieces), max_size=60).map("".join)


@settings(max_examples=150, deadline=None)
@given(name=names, token=tokens, token2=tokens, subject=names, html=bodies, text=bodies)
@example(name="a=?b", token="=", token2="&", subject="=?utf-8?q?x?=", html="{unsubscribe_url}", text=" \r\n.\r\n")
def test_every_mail_equals_its_plain_twin(
    name: str, token: str, token2: str, subject: str, html: str, text: str
) -> None:
    compiled = larkmere(
        html=html + "{unsubscribe_url}{preferences_url}" + html,
        text=text + "{preferences_url}{unsubscribe_url}" + text,
        subject=subject if subject.strip() else "x",
        sender=Mailbox(name, "news@example.org"),
    )
    to = Recipient("a@example.org", name, "x@example.org", f"https://e.org/u/{token}", f"https://e.org/p/{token2}")
    verify(compiled, to)
    octets = compiled.fill(to)
    check_header_lines(octets)
    assert b"\r\n." not in octets
    assert b"\r\nFrom " not in octets


SCRIPTS = [
    "abcdefghij ABCXYZ'-", "àéîõüçñŷŵšžłøß", "абвгдежзийклмн", "αβγδεζηθικλμ", "ابتثجحخدذرزسش", "אבגדהוזחטיכל",
    "अआइईउऊकखगघङच", "กขฃคฅฆงจฉชซฌ", "李王張劉陳楊黃趙", "가나다라마바사아", "あいうえおカキクケコ", "🐦👩\u200d👧🏽🎉",
    "e\u0301a\u0308o\u0302", '.=?_"\\<>,;:()@', " \u00a0\u200e\u200f\u200b\u200c",
]  # fmt: skip
SNIPPETS = ["=?", "?=", "=?utf-8?q?x?=", ".", "..", '"', "\\", "From ", " ", "<a@b.c>", "=\u200f", "\u200f"]
FORBIDDEN = ["\r\n", "\n", "\r", "\x00", "\x7f", "\u202e", "\u2066", "\u2028", "\x85", "\ud800"]


def random_name(chance: random.Random) -> str:
    """Up to 60 characters of one or two scripts, often with something in it that could do harm."""
    letters = "".join(chance.choices(SCRIPTS, k=chance.randint(1, 2)))
    pieces = chance.choices(letters, k=chance.randint(0, 60))
    for snippet in chance.choices(SNIPPETS, k=chance.randint(0, 3)):
        pieces.insert(chance.randint(0, len(pieces)), snippet)
    if chance.random() < 0.05:
        pieces.insert(chance.randint(0, min(len(pieces), 50)), chance.choice(FORBIDDEN))
    return "".join(pieces)[:60]


def test_ten_thousand_readers_in_any_script_get_what_the_plain_build_says() -> None:
    """Each part decodes to the text with their own links, each name to their own; every fortieth beside its twin."""
    chance = random.Random(20270112)
    compiled = larkmere()
    refused = 0
    for number in range(10_000):
        to = reader(number, name=random_name(chance))
        if any(character in to.name for character in FORBIDDEN):
            refused += 1
            with pytest.raises(Invalid, match="control characters"):
                compiled.fill(to)
            continue
        octets = compiled.fill(to)
        shown = " ".join(to.name.split())
        assert addressee(octets) == Mailbox(shown, to.address), number
        check_header_lines(octets)
        plain, rich = BytesParser().parsebytes(octets).get_payload()
        assert decoded(plain) == filled(TEXT, to), number
        assert decoded(rich) == filled(HTML + "\n", to), number
        if number % 40 == 0:
            verify(compiled, to)
    assert 300 < refused < 700


def filled(body: str, to: Recipient) -> str:
    return body.replace("{unsubscribe_url}", to.unsubscribe_url).replace("{preferences_url}", to.preferences_url)


def decoded(part: Message) -> str:
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode().replace("\r\n", "\n")


@settings(max_examples=300, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=400) | bodies)
def test_quoted_printable_gives_back_what_went_in(text: str) -> None:
    import quopri

    encoded = quoted_printable.encode(text)
    lines = encoded.split(b"\r\n")
    assert max(map(len, lines)) <= 76
    assert not [line for line in lines if line.startswith((b".", b"From ")) or line.endswith((b" ", b"\t"))]
    assert encoded.isascii()
    assert quopri.decodestring(encoded) == b"".join(line.encode() + b"\r\n" for line in quoted_printable.lines_of(text))


@settings(max_examples=300, deadline=None)
@given(subject=st.text(printable, min_size=1, max_size=300).filter(str.strip))
def test_any_subject_comes_through_whole(subject: str) -> None:
    field = header_text.unstructured("Subject", subject)
    assert b"?==?" not in field
    assert max(map(len, field.split(b"\r\n"))) <= 78
    (decoded,) = [parsed(field + b"\r\n\r\n")["Subject"]]
    assert " ".join(decoded.split()) == " ".join(subject.split())


@pytest.mark.parametrize(
    "label", ["To", "Bcc", "from", "Content-Type", "List-Unsubscribe", "Bad Name", "X:", "X\r\nBcc", ""]
)
def test_headers_that_are_ours_or_none_cannot_be_set(label: str) -> None:
    with pytest.raises(ValueError, match="cannot be set"):
        larkmere(headers={label: "x"})


def test_header_values_cannot_begin_another_header() -> None:
    with pytest.raises(Invalid):
        larkmere(headers={"List-Help": "<https://e.org/>\r\nBcc: evil@example.org"})
    with pytest.raises(ValueError, match="ASCII"):
        larkmere(headers={"Feedback-ID": "é"})
    with pytest.raises(ValueError, match="too long"):
        larkmere(headers={"X-Long": "x" * 1000})


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("<news.example.org>", b"List-Id: <news.example.org>"),
        ("Larkmere news <news.example.org>", b"List-Id: Larkmere news <news.example.org>"),
        ('"Larkmere, news" <news.example.org>', b'List-Id: "Larkmere, news" <news.example.org>'),
        ("Larkmere, news <news.example.org>", b'List-Id: "Larkmere, news" <news.example.org>'),
        ("Newyddion tŷ <news.example.org>", b"List-Id: =?utf-8?q?Newyddion_t=C5=B7?= <news.example.org>"),
    ],
)
def test_the_name_of_a_list_may_be_in_any_script(value: str, line: bytes) -> None:
    compiled = larkmere(headers={"List-Id": value})
    assert line in header_lines(compiled.fill(reader()))
    verify(compiled)


def test_verify_finds_a_slot_in_the_wrong_place() -> None:
    """Break a compiled message in ways a mistake here could: each must be found."""
    good = larkmere()

    def broken(**changes: object) -> CompiledMessage:
        fields = {name: getattr(good, name) for name in ("source", "head", "neck", "body", "slots")}
        return CompiledMessage(**(fields | changes))

    verify(broken())
    faults: list[dict[str, object]] = [
        {"slots": good.slots[::-1]},
        {"slots": (good.slots[1], good.slots[0], *good.slots[2:])},
        {"head": good.head.replace(b"winter", b"summer")},
        {"head": good.head + b"X-More: 1\r\n"},
        {"head": good.head.replace(b"Date:", b"X-Date:")},
        {"neck": good.neck.replace(b"One-Click", b"Two-Clicks")},
        {"neck": good.neck.replace(b"charset", b"chars")[:-40]},
        {"neck": good.neck + b"Subject: twice\r\n"},
        {"body": (good.body[0].replace(b"Safe", b"Dang"), *good.body[1:])},
        {"body": (good.body[0].replace(b"news\r\n", b"news\n"), *good.body[1:])},
        {"body": (good.body[0].replace(b"Safe", b"\r\n.Safe"), *good.body[1:])},
        {"body": (good.body[0].replace(b"Safe", b"x" * 80), *good.body[1:])},
    ]
    for changes in faults:
        assert changes != {name: getattr(good, name) for name in changes}
        with pytest.raises(ValueError, match=r"mail|header|part|List-Unsubscribe"):
            verify(broken(**changes))


def test_the_date_keeps_its_offset_across_the_change_of_the_clocks() -> None:
    summer = datetime(2027, 3, 28, 2, 0, tzinfo=timezone(timedelta(hours=1)))
    octets = larkmere(date=summer).fill(reader())
    assert b"Date: Sun, 28 Mar 2027 02:00:00 +0100" in header_lines(octets)
    assert parsed(octets)["Date"].datetime == summer
    with pytest.raises(ValueError, match="aware"):
        larkmere(date=datetime(2027, 1, 1))


def notice(**changes: object) -> bytes:
    given_: dict[str, object] = {
        "to": Mailbox("Zoë Hughes", "zoe@example.org"),
        "sender": Mailbox("Larkmere Safeguarding Partnership", "news@larkmere.example.org"),
        "subject": "Confirm that you want Larkmere news",
        "text": "Dear Zoë\n.\nConfirm: https://news.example.org/c/abc\n",
        "message_id": "n.1@news.example.org",
        "date": DATE,
    }
    return build_single(**(given_ | changes))


@pytest.mark.parametrize("html", [None, "<p>Dear Zoë</p>\n.<p>Confirm</p>"])
def test_a_notice_is_marked_as_automatic_and_has_no_one_click(html: str | None) -> None:
    octets = notice(html=html)
    message = parsed(octets)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["List-Unsubscribe"] is None
    assert [part.get_content_type() for part in message.walk()] == (
        ["text/plain"] if html is None else ["multipart/alternative", "text/plain", "text/html"]
    )
    plain = message.get_body(("plain",))
    assert plain is not None
    assert words(plain) == "Dear Zoë\n.\nConfirm: https://news.example.org/c/abc\n"
    if html is not None:
        rich = message.get_body(("html",))
        assert rich is not None
        assert words(rich) == html + "\n"
    assert str(message["To"]) == "Zoë Hughes <zoe@example.org>"
    for header in ("From", "Date", "Message-ID", "MIME-Version", "To", "Subject"):
        assert len(message.get_all(header, [])) == 1
    assert b"\r\n." not in octets
    check_header_lines(octets)
    assert notice(html=html) == octets


def test_a_notice_refuses_what_a_mail_refuses() -> None:
    with pytest.raises(Invalid):
        notice(to=Mailbox("Zoë\r\nBcc: x", "zoe@example.org"))
    for subject in ("a\nb", "", " \u00a0"):
        with pytest.raises(Invalid) as caught:
            notice(subject=subject)
        assert caught.value.problems[0].field == "subject"
    with pytest.raises(ValueError, match="Message-ID"):
        notice(message_id="none")
    with pytest.raises(ValueError, match="language"):
        notice(language="en\r\nBcc: x")


def test_a_sample_can_be_opened_in_a_mail_program() -> None:
    octets = larkmere().as_eml()
    parsed(octets)
    assert addressee(octets) == Mailbox(SAMPLE_RECIPIENT.name, SAMPLE_RECIPIENT.address)


def test_what_was_compiled_cannot_be_changed() -> None:
    headers = {"Precedence": "bulk"}
    compiled = compile_message(
        html=HTML, text=TEXT, subject="x", sender=Mailbox("", "a@e.org"), reply_to=None, headers=headers,
        language="en", date=datetime.now(UTC),
    )  # fmt: skip
    headers["X-Later"] = "1"
    verify(compiled)
    with pytest.raises(AttributeError):
        compiled.head = b""
