"""A probe that arrived: signed by a test's own key, and spoilt on the way in all the ways that mail servers know."""

import re
from collections.abc import Callable, Sequence

import pytest

from newsletter.doctor.findings import Notes
from newsletter.doctor.kept import KeptProbe
from newsletter.doctor.received import examine_received
from newsletter.errors import Invalid
from newsletter.mail.names import Names, NoNames
from tests.doctor.reading import good, unknown, warned, wrong
from tests.doctor.signing import EVERY_HEADER, key_zone, received, signed
from tests.name_server import NameServer, Zone

DMARC: Zone = {("_dmarc.example.org", "TXT"): ['"v=DMARC1; p=none"']}


def _read(source: bytes, probe: KeptProbe | None, zone: Zone | None = None) -> Notes:
    with NameServer({**DMARC, **(key_zone() if zone is None else zone)}) as server:
        return examine_received(source, probe, server.names())


def _arrived(probe: KeptProbe, headers: Sequence[str] = EVERY_HEADER, results: str = "spf=pass; dkim=pass; dmarc=pass"
             ) -> bytes:  # fmt: skip
    return received(signed(probe.message, headers), return_path=probe.sender, results=results)


def test_a_probe_that_arrived_as_it_should(probe: KeptProbe) -> None:
    found = _read(_arrived(probe), probe)
    assert not wrong(found) + warned(found) + unknown(found)
    assert "signature of example.org (key “s2026”) holds" in good(found)
    assert "covers List-Unsubscribe and List-Unsubscribe-Post (RFC 8058)" in good(found)
    assert "All the other headers that matter are signed too" in good(found)
    assert "mx.reader.example says: DMARC pass" in good(found)
    assert "so bounces come back" in good(found)
    assert "Both bodies, HTML and plain text, arrived as they were sent" in good(found)


def test_a_source_saved_with_other_line_ends_says_the_same(probe: KeptProbe) -> None:
    saved = _arrived(probe).replace(b"\r\n", b"\n")
    assert not wrong(_read(saved, probe))
    assert not wrong(_read(b"\xef\xbb\xbf" + saved, probe))
    assert not wrong(_read(b"From ruth@example.org Mon Dec  7 10:00:02 2026\n" + saved, probe))


# --- what the signature covers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("left_out", ["List-Unsubscribe-Post", "List-Unsubscribe"])
def test_a_signature_that_leaves_out_one_click_is_wrong(probe: KeptProbe, left_out: str) -> None:
    """What dkimpy and several mail servers do when nobody tells them otherwise."""
    found = _read(_arrived(probe, [header for header in EVERY_HEADER if header != left_out]), probe)
    assert f"does not cover {left_out}: RFC 8058 wants both signed" in wrong(found)
    assert "holds" in good(found)


def test_other_headers_that_are_not_signed_are_named(probe: KeptProbe) -> None:
    few = ("From", "Subject", "Date", "Message-ID", "To", "List-Unsubscribe", "List-Unsubscribe-Post")
    found = _read(_arrived(probe, few), probe)
    assert "does not cover MIME-Version, Content-Type, List-Id, Reply-To, Feedback-ID" in warned(found)
    assert not wrong(found)


def test_no_signature_at_all(probe: KeptProbe) -> None:
    found = _read(received(probe.message, return_path=probe.sender), probe)
    assert "carries no DKIM signature" in wrong(found)


def test_one_of_two_signatures_is_enough(probe: KeptProbe) -> None:
    provider = signed(signed(probe.message), ["From"], domain="provider.example", selector="p1")
    found = _read(
        received(provider, return_path=probe.sender), probe, {**key_zone(), **key_zone("provider.example", "p1")}
    )
    assert not wrong(found)
    assert "signature of provider.example (key “p1”) holds" in good(found)


def test_a_signature_of_the_provider_alone_does_not_count_for_dmarc(probe: KeptProbe) -> None:
    source = received(signed(probe.message, domain="provider.example"), return_path=probe.sender)
    found = _read(source, probe, key_zone("provider.example"))
    assert "None of the signatures is of example.org" in wrong(found)


def test_a_signature_of_the_organisation_counts_unless_dmarc_is_strict(probe: KeptProbe) -> None:
    source = received(signed(probe.message, domain="mail.example.org"), return_path=probe.sender)
    zone = key_zone("mail.example.org")
    assert not wrong(_read(source, probe, zone))
    strict: Zone = {("_dmarc.example.org", "TXT"): ['"v=DMARC1; p=none; adkim=s"']}
    assert "None of the signatures is of example.org" in wrong(_read(source, probe, {**zone, **strict}))


# --- whether it holds --------------------------------------------------------------------------------------------


def test_a_body_that_was_changed_after_the_signature(probe: KeptProbe) -> None:
    found = _read(_arrived(probe).replace(b"to nobody but you", b"to everybody but you"), probe)
    assert "does not hold: the body was changed after it was signed" in wrong(found)
    assert "The HTML was changed on the way" in warned(found)


def test_a_header_that_was_changed_after_the_signature(probe: KeptProbe) -> None:
    found = _read(_arrived(probe).replace(b"Subject: ", b"Subject: [EXTERNAL] "), probe)
    assert "a signed header was changed after it was signed" in wrong(found)
    assert "The header Subject was changed to “[EXTERNAL] Probe" in warned(found)


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (None, "there is no key at s2026._domainkey.example.org"),
        ('"v=DKIM1; p="', "has been withdrawn"),
        ('"v=DKIM1; p=AAAA"', "does not hold"),
        ('"v=DKIM1; k=rsa; p=not base64!"', "does not hold"),
    ],
)
def test_keys_that_are_no_good(probe: KeptProbe, record: str | None, words: str) -> None:
    zone: Zone = {("s2026._domainkey.example.org", "TXT"): [record]} if record else {}
    assert words in wrong(_read(_arrived(probe), probe, zone))


def test_a_key_that_is_short(probe: KeptProbe) -> None:
    source = received(signed(probe.message, bits=1024), return_path=probe.sender)
    assert "a key of 1024 bits" in warned(_read(source, probe, key_zone(bits=1024)))


def test_a_signature_over_the_beginning_of_the_body_only(probe: KeptProbe) -> None:
    source = received(signed(probe.message, length=True), return_path=probe.sender)
    assert "the beginning of the body only (l=)" in warned(_read(source, probe))


@pytest.mark.parametrize(
    "value", [b"v=1", b";;;=", b"v=1; a=rsa-sha256; d=; s=; h=; bh=; b=", b"\xff\xfe", b"v=1; h=a:b"]
)
def test_a_signature_that_is_nonsense_is_no_traceback(probe: KeptProbe, value: bytes) -> None:
    found = _read(b"DKIM-Signature: " + value + b"\r\n" + probe.message, probe)
    assert "does not hold" in wrong(found)


def test_without_the_dns_a_signature_is_read_and_not_judged(probe: KeptProbe) -> None:
    found = examine_received(_arrived(probe), probe, NoNames("Nobody can be asked"))
    assert "was not verified: Nobody can be asked" in unknown(found)
    assert "covers List-Unsubscribe and List-Unsubscribe-Post" in good(found)
    assert not wrong(found)


def test_headers_alone_say_what_is_signed(probe: KeptProbe) -> None:
    """What Outlook shows as “Internet headers”."""
    found = _read(_arrived(probe).partition(b"\r\n\r\n")[0], probe)
    assert "only the headers are here" in unknown(found)
    assert "covers List-Unsubscribe" in good(found)
    assert not wrong(found)


# --- what became of headers and bodies ---------------------------------------------------------------------------


def _changed(probe: KeptProbe, pattern: bytes, replacement: bytes) -> bytes:
    spoilt, times = re.subn(pattern, replacement, probe.message, count=1)
    assert times == 1
    return received(signed(spoilt), return_path=probe.sender)


@pytest.mark.parametrize(
    ("pattern", "replacement", "words"),
    [
        (rb"List-Unsubscribe: <.*\r\n", b"", "List-Unsubscribe is missing"),
        (rb"List-Unsubscribe-Post: .*\r\n", b"", "List-Unsubscribe-Post is missing"),
        (rb"List-Unsubscribe: <", b"List-Unsubscribe:\r\n <", "List-Unsubscribe was broken over several lines"),
        (rb"List-Unsubscribe: <(.*)>", rb"List-Unsubscribe: =?utf-8?q?=3C\1=3E?=", "List-Unsubscribe was encoded"),
        (rb"(List-Unsubscribe: <https://)", rb"\1click.provider.example/", "was changed to “<https://click.provider"),
        (rb"=One-Click", b"=one-click", "does not say List-Unsubscribe=One-Click"),
        (rb"(List-Unsubscribe: <)https", rb"\1http", "holds no https address"),
        (rb"(Reply-To: .*\r\n)", rb"\1Reply-To: else@example.org\r\n", "more than once: Reply-To"),
        (rb"From: .*\r\n", b"From: Provider <news@example.org>\r\n", "The header From was changed"),
    ],
)
def test_headers_that_break_the_mail(probe: KeptProbe, pattern: bytes, replacement: bytes, words: str) -> None:
    assert words in wrong(_read(_changed(probe, pattern, replacement), probe))


@pytest.mark.parametrize(
    ("pattern", "replacement", "words"),
    [
        (rb"Feedback-ID: .*\r\n", b"", "taken out on the way: Feedback-ID"),
        (rb"Message-ID: <.*>", b"Message-ID: <0102018c@provider.example>", "two copies of a mail"),
    ],
)
def test_headers_that_are_spoilt_and_do_not_break_it(
    probe: KeptProbe, pattern: bytes, replacement: bytes, words: str
) -> None:
    found = _read(_changed(probe, pattern, replacement), probe)
    assert any(words in finding.sentence + finding.what_to_do for finding in found if finding.state.value == "warning")
    assert not wrong(found)


def test_refolded_and_reencoded_headers_are_the_same(probe: KeptProbe) -> None:
    found = _read(_changed(probe, rb"List-Archive: ", b"List-Archive:\r\n\t"), probe)
    assert not wrong(found) + warned(found)


def test_links_that_a_scanner_rewrote(probe: KeptProbe) -> None:
    spoilt = re.sub(rb'href=3D"[^"]*"', b'href=3D"https://eur01.safelinks.example/?url=3Dx"', probe.message)
    found = _read(received(signed(spoilt), return_path=probe.sender), probe)
    assert "The links lead over eur01.safelinks.example first" in warned(found)


def test_a_footer_and_a_picture_that_were_added(probe: KeptProbe) -> None:
    footer = b'<p>Scanned by Provider</p><img src=3D"https://t.provider.example/x.gif"></body>'
    spoilt = probe.message.replace(b"</body>", footer)
    assert spoilt != probe.message
    found = _read(received(signed(spoilt), return_path=probe.sender), probe)
    assert "Words were added to the HTML: “Scanned by Provider”" in warned(found)
    assert "loads from t.provider.example" in warned(found)
    assert "plain text" not in warned(found)


def test_hostile_markup_takes_no_time(probe: KeptProbe) -> None:
    """What grows with the square of its length would never end here."""
    for piece in (b"<a ", b"<img ", b"<", b"<a href=3D'", b"("):
        spoilt = probe.message.replace(b"<h1>", piece * 40_000, 1)
        assert wrong(_read(received(spoilt, return_path=probe.sender), probe))


def test_a_part_that_was_taken_out_and_one_in_another_charset(probe: KeptProbe) -> None:
    head = probe.message.partition(b"\r\n\r\n")[0]
    alone = b"\r\n".join(
        [re.sub(rb"Content-Type: multipart.*", b"Content-Type: text/plain; charset=us-ascii", head, flags=re.S), b"",
         b"Probe", b""]
    )  # fmt: skip
    found = _read(received(signed(alone), return_path=probe.sender), probe)
    assert "The HTML of the mail is gone" in wrong(found)
    assert "its characters are us-ascii" in warned(found)


def test_long_lines_and_broken_line_ends(probe: KeptProbe) -> None:
    long = probe.message.replace(b"</body>", b"x" * 1200 + b"</body>")
    assert "A line of the mail has 12" in wrong(_read(received(signed(long), return_path=probe.sender), probe))
    bare = _arrived(probe).replace(b"Probe ", b"Probe \n", 1)
    assert "end in CR or LF alone" in warned(_read(bare, probe))


def test_a_return_path_of_the_provider_keeps_the_bounces(probe: KeptProbe) -> None:
    found = _read(received(signed(probe.message), return_path="bounce@provider.example"), probe)
    assert "replaced by bounce@provider.example" in warned(found)


# --- what the receiver said --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("results", "state", "words"),
    [
        ("spf=softfail smtp.mailfrom=x; dkim=pass; dmarc=pass", wrong, "SPF softfail"),
        ("spf=pass; dkim=fail (dkim=pass is what it should be); dmarc=fail (p=NONE)", wrong, "DKIM fail"),
        ("spf=none; dkim=fail; dkim=pass header.d=example.org; dmarc=pass", warned, "SPF none"),
        ("spf=pass; dkim=pass", unknown, "says nothing of DMARC"),
        ("", unknown, "no Authentication-Results"),
    ],
)
def test_what_the_receiver_said(probe: KeptProbe, results: str, state: Callable[[Notes], str], words: str) -> None:
    found = _read(_arrived(probe, results=results), probe)
    assert words in state(found)
    if "dkim=pass header" in results:
        assert "DKIM pass" in good(found)


def test_only_the_topmost_results_are_believed(probe: KeptProbe) -> None:
    forged = b"Authentication-Results: mx.reader.example; dmarc=pass\r\n" + probe.message
    source = received(signed(forged), return_path=probe.sender, results="spf=fail; dkim=fail; dmarc=fail")
    assert "DMARC fail" in wrong(_read(source, probe))


# --- which mail it is --------------------------------------------------------------------------------------------


def test_another_mail_is_read_and_not_compared(probe: KeptProbe) -> None:
    other = (
        b"From: News <newsletter@example.org>\r\nSubject: Winter\r\nMessage-ID: <1@example.org>\r\n"
        b"List-Unsubscribe: <https://news.example.org/u/x>\r\n"
        b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\nHello\r\n"
    )
    found = _read(signed(other), probe)
    assert "not the last probe" in unknown(found)
    assert not wrong(found)
    assert "No probe was sent from here" in unknown(_read(signed(other), None))


@pytest.mark.parametrize(
    "junk", [b"", b"hello", b"\x00" * 100, b"<html><body>A page</body></html>", b"%PDF-1.7\n", b"a: b"]
)
def test_what_is_no_mail_is_refused_in_a_sentence(junk: bytes, probe: KeptProbe) -> None:
    names: Names = NoNames("")
    with pytest.raises(Invalid, match="not the source of a mail"):
        examine_received(junk, probe, names)
