"""Letters as people's mail programs write them, and as nobody's does: read by bounded work, cut with care."""

from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.mail.letters import LONGEST_TEXT, LetterRefused, read_letter, recipients, without_quoted
from newsletter.mail.mime_parts import Headers
from newsletter.mail.vouched import vouched_for

HEAD = b"From: Cara Bell <cara@council.example.org>\r\nSubject: Neglect training\r\nMessage-ID: <1@council>\r\n"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def raw(body: bytes, content_type: str = "text/plain; charset=utf-8", *more: bytes) -> bytes:
    head = [HEAD, b"MIME-Version: 1.0\r\n", f"Content-Type: {content_type}\r\n".encode(), *more, b"\r\n", body]
    return b"".join(head)


def multipart(*parts: bytes, kind: str = "mixed") -> bytes:
    body = b"".join(b"--edge\r\n" + part + b"\r\n" for part in parts) + b"--edge--\r\n"
    return raw(body, f'multipart/{kind}; boundary="edge"')


def test_a_plain_letter_is_its_sender_subject_and_words() -> None:
    letter = read_letter(raw("Two half days in February.\r\n\r\nBook by 20\u00a0January.  \r\n".encode()))
    assert (letter.name, letter.sender) == ("Cara Bell", "cara@council.example.org")
    assert letter.subject == "Neglect training"
    assert letter.text == "Two half days in February.\n\nBook by 20 January."
    assert letter.attachments == ()


@pytest.mark.parametrize(
    ("body", "content_type", "more", "words"),
    [
        ("Café – “open”".encode("cp1252"), "text/plain; charset=windows-1252", b"", "Café – “open”"),
        (b"Q2Fmw6kgb3Blbg==", "text/plain; charset=utf-8", b"Content-Transfer-Encoding: base64\r\n", "Café open"),
        (b"Caf=E9=\r\n open", "text/plain; charset=iso-8859-1", b"Content-Transfer-Encoding: quoted-printable\r\n",
         "Café open"),
        (b"Caf\xe9", "text/plain; charset=rot13", b"", "Caf\ufffd"),
        (b"\xff\xfe!", "text/plain", b"", "\ufffd\ufffd!"),
    ],
)  # fmt: skip
def test_words_in_old_character_sets_are_words(body: bytes, content_type: str, more: bytes, words: str) -> None:
    assert read_letter(raw(body, content_type, more)).text == words


@pytest.mark.parametrize(
    ("subject", "clean"),
    [
        ("Re: Fwd: RE[2]: Neglect training", "Neglect training"),
        ("WG: AW: Tag der Kinder", "Tag der Kinder"),
        ("Regional conference", "Regional conference"),
        ("=?utf-8?q?Caf=C3=A9?= news", "Café news"),
        ("Re:", ""),
        ("", ""),
    ],
)
def test_a_subject_is_taken_without_what_answering_put_before_it(subject: str, clean: str) -> None:
    letter = read_letter(f"From: cara@council.example.org\r\nSubject: {subject}\r\n\r\nText".encode())
    assert letter.subject == clean


def test_plain_words_go_before_html_and_html_alone_is_kept() -> None:
    plain, html = b"Content-Type: text/plain\r\n\r\nPlain words.", b"Content-Type: text/html\r\n\r\n<p>Looks</p>"
    both = read_letter(multipart(plain, html, kind="alternative"))
    assert (both.text, both.html) == ("Plain words.", "")
    alone = read_letter(multipart(b"Content-Type: text/plain\r\n\r\n \r\n", html, kind="alternative"))
    assert (alone.text, alone.html) == ("", "<p>Looks</p>")


def test_attachments_are_named_without_paths_and_signatures_are_none() -> None:
    letter = read_letter(
        multipart(
            b"Content-Type: multipart/alternative; boundary=inner\r\n\r\n--inner\r\n\r\nDeep words\r\n--inner--",
            f'Content-Type: {DOCX}\r\nContent-Disposition: attachment; filename="C:\\\\x\\\\News.docx"\r\n'
            "Content-Transfer-Encoding: base64\r\n\r\nUEsDBA==".encode(),
            b"Content-Type: image/jpeg; name==?utf-8?q?Caf=C3=A9.jpg?=\r\nContent-ID: <1>\r\n\r\nxx",
            b"Content-Type: application/octet-stream\r\n"
            b"Content-Disposition: attachment; filename*=utf-8''Pr%C3%A9cis.pdf\r\n\r\nxx",
            b"Content-Type: application/ms-tnef; name=winmail.dat\r\n\r\nxx",
            b"Content-Type: application/pkcs7-signature; name=smime.p7s\r\n\r\nxx",
        )
    )
    assert letter.text == "Deep words"
    assert [each.name for each in letter.attachments] == ["News.docx", "Café.jpg", "Précis.pdf", "winmail.dat"]
    word, picture, _other, packed = letter.attachments
    assert (word.is_word, word.body) == (True, b"PK\x03\x04")
    assert picture.is_picture
    assert packed.is_packed


def test_a_letter_that_only_carries_another_is_that_one() -> None:
    inner = b"From: sam@police.example.org\r\nSubject: Inner\r\n\r\nWords of the inner letter"
    letter = read_letter(multipart(b"Content-Type: message/rfc822\r\n\r\n" + inner))
    assert letter.text == "Words of the inner letter"
    assert letter.sender == "cara@council.example.org"


@pytest.mark.parametrize(
    "sender",
    [
        "From: a@example.org, b@example.org",
        "From: a@example.org\r\nFrom: b@example.org",
        "From: undisclosed-recipients:;",
        "From: <@>",
        "From: \x00@example.org",
        "X-From: a@example.org",
    ],
)
def test_who_cannot_be_told_is_nobody(sender: str) -> None:
    assert read_letter(f"{sender}\r\nSubject: x\r\n\r\nText".encode()).sender == ""


def test_encrypted_letters_say_so() -> None:
    assert read_letter(raw(b"xx", "application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m")).encrypted


def test_the_same_letter_by_two_ways_is_one_and_another_is_not() -> None:
    one = raw(b"Text")
    by_another_server = b"Received: from x by mx.example.org; Mon, 7 Dec 2026 10:00:00 +0000\r\n" + one + b"\r\n"
    assert read_letter(one).digest == read_letter(by_another_server).digest
    assert read_letter(one).digest != read_letter(raw(b"Other text")).digest


# --- quoted text ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("New words.\n\nOn Mon, 7 Dec 2026, Ruth wrote:\n> Old\n>\n> words", "New words."),
        ("New words.\n\nOn Monday, 7 December 2026 at 10:00,\nRuth Adeyemi <r@x> wrote:\n\n> Old\n\n", "New words."),
        ("New words.\n> Old", "New words."),
    ],
)
def test_quoted_lines_at_the_end_are_cut(text: str, kept: str) -> None:
    assert without_quoted(text) == (kept, True)


@pytest.mark.parametrize(
    "text",
    [
        "No quoted line",
        "> I quote\nand say something below it",
        "> Only\n> quoted",
        "Words\n-- \nCara Bell\nLarkmere Council",
        "Words\n\n---------- Forwarded message ---------\nFrom: Sam\n\nHis words",
        "As she wrote:\n5 > 4",
        "",
    ],
)
def test_what_may_be_somebodys_own_words_stays(text: str) -> None:
    assert without_quoted(text) == (text, False)


# --- who vouches ------------------------------------------------------------------------------------------------

OURS = "mx.example.org"


def vouched(*results: str, sender: str = "cara@council.example.org") -> bool | None:
    head = "".join(f"Authentication-Results: {one}\r\n" for one in results)
    return vouched_for(Headers.of(head.encode()), sender, OURS)


@pytest.mark.parametrize(
    "result",
    [
        "dmarc=pass (p=reject) header.from=council.example.org",
        "spf=fail smtp.mailfrom=x.example.org; dkim=pass header.d=council.example.org header.s=k1",
        "dkim=pass header.d=example.org",
        "dkim=pass header.i=@council.example.org",
        "dkim=fail header.d=evil.example.net;\r\n spf=pass smtp.mailfrom=bounce@council.example.org",
        "dmarc=none header.from=council.example.org; spf=pass smtp.mailfrom=council.example.org",
    ],
)
def test_our_server_vouches_for_the_domain_of_the_sender(result: str) -> None:
    assert vouched(f"{OURS}; {result}") is True
    assert vouched(f"{OURS} 1; {result}") is True
    assert vouched(f"mx.other.example.net; {result}") is None


def test_exchange_online_does_not_say_its_name() -> None:
    headers = Headers.of(
        b"Authentication-Results: spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=council.example.org;"
        b" dkim=none; dmarc=pass action=none header.from=council.example.org;compauth=pass reason=100\r\n"
    )
    assert vouched_for(headers, "cara@council.example.org", "protection.outlook.com") is True
    assert vouched_for(headers, "cara@council.example.org", OURS) is None


@pytest.mark.parametrize(
    "result",
    [
        "dmarc=fail header.from=council.example.org; dkim=pass header.d=council.example.org",
        "dkim=pass header.d=council.example.org; dmarc=fail (p=none) header.from=council.example.org",
    ],
)
def test_our_server_may_say_that_a_sender_is_forged(result: str) -> None:
    assert vouched(f"{OURS}; {result}") is False


@pytest.mark.parametrize(
    "results",
    [
        (),
        ("",),
        (f"{OURS}; none",),
        (f"{OURS}; dkim=pass header.d=evil.example.net",),
        (f"{OURS}; dkim=pass header.d=org",),
        (f"{OURS}; spf=pass smtp.mailfrom=council.example.org.evil.example.net",),
        (f"{OURS}; dmarc=pass header.from=evil.example.net",),
        (f'{OURS}; spf=pass smtp.mailfrom="x; dmarc=pass header.from=council.example.org "@evil.example.net',),
        (f"{OURS}; spf=pass (x; dmarc=pass header.from=council.example.org) smtp.mailfrom=evil.example.net",),
        (f'{OURS}; spf=pass smtp.mailfrom="open; dmarc=pass header.from=council.example.org',),
        ("mx.evil.example.net; none", f"{OURS}; dmarc=pass header.from=council.example.org"),
        (f"{OURS}; spf=none", f"{OURS}; dmarc=pass header.from=council.example.org"),
    ],
)
def test_what_the_sender_may_have_written_proves_nothing(results: tuple[str, ...]) -> None:
    assert vouched(*results) is None


def test_without_a_name_to_trust_nobody_vouches() -> None:
    headers = Headers.of(b"Authentication-Results: ; dmarc=pass header.from=council.example.org\r\n")
    assert vouched_for(headers, "cara@council.example.org", "") is None


# --- where to ---------------------------------------------------------------------------------------------------


def test_what_our_server_wrote_names_the_recipient_first() -> None:
    mail = (
        b"Delivered-To: contribute+safeguarding-news@example.org\r\nX-Original-To: Contribute@example.org\r\n"
        b'To: Ruth <ruth@example.org>, news@example.org\r\nCc: "A, B" <b@example.org>\r\n\r\nText'
    )
    assert recipients(mail) == [
        "contribute@example.org", "contribute+safeguarding-news@example.org", "ruth@example.org", "news@example.org",
        "b@example.org",
    ]  # fmt: skip


# --- what nobody's mail program writes --------------------------------------------------------------------------


def test_a_mail_of_ten_thousand_parts_is_refused() -> None:
    with pytest.raises(LetterRefused):
        read_letter(multipart(*[b"\r\nx"] * 10_000))


def test_parts_within_parts_without_end_are_looked_at_to_a_depth() -> None:
    body = b"Words in the deep"
    for level in range(200):
        body = b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n%b\r\n--b%d--" % (
            level,
            level,
            body,
            level,
        )
    letter = read_letter(HEAD + body)
    assert (letter.text, letter.html) == ("", "")


@pytest.mark.parametrize(
    "head",
    [b"X-Bomb: x\r\n" * 600, b"X-Bomb: " + b"x" * 70_000 + b"\r\n", b"X-Bomb: y\r\n" + b" folded\r\n" * 9_000, b""],
)
def test_a_bomb_of_headers_is_refused(head: bytes) -> None:
    with pytest.raises(LetterRefused):
        read_letter(head + b"\r\nText" if not head else HEAD + head + b"\r\nText")


@pytest.mark.parametrize(
    "body",
    [
        b"--edge",
        b"--edge\r\nContent-Type: text/plain\r\n\r\nCut off in the midd",
        b"--wrong\r\n\r\nText\r\n--wrong--",
        b"--edge--\r\n--edge\r\n\r\nAfter the end",
        b"\x00" * 100_000,
        b"",
    ],
)
def test_broken_boundaries_break_nothing(body: bytes) -> None:
    read_letter(raw(body, 'multipart/mixed; boundary="edge"'))


def test_ten_megabytes_are_no_more_words_than_anybody_writes() -> None:
    letter = read_letter(raw(b"word " * 2_000_000, "text/plain"))
    read_letter(multipart(*[b"Content-Type: text/html\r\n\r\n" + b"<" * 100_000] * 90))
    read_letter(raw(b"--edge\r" * 1_000_000, 'multipart/mixed; boundary="edge"'))
    assert len(letter.text) <= LONGEST_TEXT


def test_what_python_writes_is_read() -> None:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "Cara Béll <cara@council.example.org>", "Ünïted"
    mail.set_content("Words – with dashes\n" * 40)
    mail.add_alternative("<p>Words</p>", subtype="html")
    mail.add_attachment(b"PK", maintype="application", subtype=DOCX.partition("/")[2], filename="Bericht März.docx")
    letter = read_letter(mail.as_bytes())
    assert (letter.name, letter.subject) == ("Cara Béll", "Ünïted")
    assert letter.text.count("Words – with dashes") == 40
    assert [each.name for each in letter.attachments] == ["Bericht März.docx"]


LINES = st.sampled_from(
    [
        b"From: a@example.org", b"From:", b"Subject: =?utf-8?b?////?=", b"Subject: =?x?q?=FF?=", b" folded", b"",
        b"Content-Type: multipart/mixed; boundary=b", b"Content-Type: multipart/alternative; boundary=\"b\"", b"--b",
        b"--b--", b"Content-Type: message/rfc822", b"Content-Type: text/html; charset=utf-16",
        b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: quoted-printable", b"=FF=\xff", b"QQ=",
        b"Content-Disposition: attachment; filename*0*=utf-8''%FF%00.docx", b"Content-Disposition: inline; filename=",
        b"> q", b"Message-ID: <\x00>", b"On x wrote:", b"\x00\xff\r",
        b"Authentication-Results: mx.example.org; dmarc=pass (",
    ]
)  # fmt: skip


@given(st.lists(st.one_of(LINES, st.binary(max_size=40)), max_size=30))
def test_no_bytes_break_the_reader(lines: list[bytes]) -> None:
    mail = b"\r\n".join(lines)
    recipients(mail)
    try:
        letter = read_letter(mail)
    except LetterRefused:
        return
    without_quoted(letter.text)
    vouched_for(letter.headers, letter.sender, OURS)
    assert letter.subject.isprintable()
    assert all(each.name.isprintable() and len(each.name) <= 100 for each in letter.attachments)
