"""Addresses: what people type, what is kept, what is refused and why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter import addresses
from newsletter.errors import Invalid


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" Tom.Example@Example.ORG ", "Tom.Example@example.org"),
        ("\u200btom@example.org\ufeff", "tom@example.org"),
        ("\u00a0tom@example.org\u00a0", "tom@example.org"),
        ("tom+news@example.org", "tom+news@example.org"),
        ("o'brien@example.org", "o'brien@example.org"),
        ("tom@bücher.example.org", "tom@xn--bcher-kva.example.org"),
        ("a" * 64 + "@example.org", "a" * 64 + "@example.org"),
    ],
)
def test_what_people_paste_becomes_an_address_that_can_be_sent_to(typed: str, kept: str) -> None:
    assert addresses.clean(typed) == kept


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Enter an email address"),
        ("   ", "Enter an email address"),
        ("tom", "Enter an email address in the form name@example.org"),
        ("tom@", "Enter an email address in the form name@example.org"),
        ("@example.org", "Enter an email address in the form name@example.org"),
        ("tom@example", "Enter an email address in the form name@example.org"),
        ("tom@example..org", "Enter an email address in the form name@example.org"),
        ("tom..x@example.org", "Enter an email address in the form name@example.org"),
        ("tom@-example.org", "Enter an email address in the form name@example.org"),
        ("tom x@example.org", "Enter one email address, without spaces"),
        ("tom@example.org, sam@example.org", "Enter one email address, without spaces"),
        ("tom@example.org\r\nRCPT TO:<x@example.org>", "cannot hold line breaks"),
        ("tom\x00@example.org", "cannot hold line breaks or control characters"),
        ("tom\u2028@example.org", "cannot hold line breaks or control characters"),
        ("zoë@example.org", "can only hold unaccented letters"),
        ("a" * 65 + "@example.org", "64 characters at most"),
        (("a" * 60) + "@" + ".".join(["b" * 60] * 4) + ".org", "at most"),
        ('"tom x"@example.org', "spaces"),
        ('"tom"@example.org', "quotation marks"),
        ("tom@[192.0.2.1]", "not a number in brackets"),
    ],
)
def test_what_cannot_be_sent_to_is_refused_in_words(typed: str, sentence: str) -> None:
    with pytest.raises(Invalid) as refusal:
        addresses.clean(typed)
    assert sentence in str(refusal.value)
    assert refusal.value.problems[0].field == "email"


@given(st.text(max_size=300))
def test_whatever_is_typed_is_an_address_or_a_sentence(typed: str) -> None:
    try:
        kept = addresses.clean(typed)
    except Invalid as refusal:
        assert str(refusal)
        return
    assert kept.isascii()
    assert kept.count("@") == 1
    assert len(kept) <= 254
    assert not set(kept) & set("\r\n\x00 <>,;")
    assert addresses.clean(kept) == kept


def test_two_spellings_of_one_address_have_one_key_and_tags_stay() -> None:
    assert addresses.key("A.Tom@X.example.org") == addresses.key("a.tom@x.EXAMPLE.org")
    assert addresses.key("tom+a@example.org") != addresses.key("tom@example.org")


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("tom.example@example.org", "to…le@example.org"),
        ("tom@example.org", "t…@example.org"),
        ("t@example.org", "t…@example.org"),
    ],
)
def test_an_address_is_masked_for_a_page_that_anybody_with_the_link_can_open(address: str, masked: str) -> None:
    assert addresses.mask(address) == masked
