"""Tokens: each opens one door, for ever or until its row says otherwise."""

import base64
import hashlib
import itertools
import re
import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import Signer as Plain

from newsletter import tokens
from newsletter.errors import TokenInvalid
from newsletter.tokens import Purpose, Signer

OLD = "an-older-key-of-at-least-32-characters"
NEW = "a-newer-key-that-is-also-long-enough!!"
SOMEBODY = uuid.UUID("00112233-4455-6677-8899-aabbccddeeff")


def test_a_token_of_one_purpose_fails_for_every_other() -> None:
    signer = Signer((NEW,))
    for made_for, used_for in itertools.permutations(Purpose, 2):
        with pytest.raises(TokenInvalid):
            signer.read_id(used_for, signer.sign_id(made_for, SOMEBODY))


def test_a_token_made_with_an_older_key_still_works_and_new_ones_use_the_newest() -> None:
    token = Signer((OLD,)).sign_id(Purpose.CONFIRM, SOMEBODY)
    assert Signer((OLD, NEW)).read_id(Purpose.CONFIRM, token) == SOMEBODY
    assert Signer((OLD, NEW)).sign_id(Purpose.CONFIRM, SOMEBODY) == Signer((NEW,)).sign_id(Purpose.CONFIRM, SOMEBODY)
    with pytest.raises(TokenInvalid):
        Signer((NEW,)).read_id(Purpose.CONFIRM, token)


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_token_is_what_itsdangerous_makes_so_links_of_years_ago_go_on_working(purpose: Purpose) -> None:
    signed = Plain([OLD], salt=purpose.value, key_derivation="hmac", digest_method=hashlib.sha256)
    made = signed.sign(base64.urlsafe_b64encode(SOMEBODY.bytes).rstrip(b"=")).decode().replace(".", "")
    assert Signer((OLD,)).sign_id(purpose, SOMEBODY) == made
    assert Signer((OLD, NEW)).read_id(purpose, made) == SOMEBODY
    for at, letter in enumerate(made):
        with pytest.raises(TokenInvalid):
            Signer((OLD, NEW)).read_id(purpose, made[:at] + ("A" if letter != "A" else "B") + made[at + 1 :])


def test_a_form_token_proves_to_the_microsecond_when_the_form_was_opened() -> None:
    opened = datetime(2018, 1, 19, 16, 58, 0, 123456, tzinfo=UTC)
    signer = Signer((NEW,))
    assert signer.read_instant(Purpose.FORM, signer.sign_instant(Purpose.FORM, opened)) == opened


@pytest.mark.parametrize("glued", [".", ")", ">", "=3D", " ", "&lt;", "\r\n"])
def test_what_mail_programs_glue_to_a_link_does_no_harm(glued: str) -> None:
    token = Signer((NEW,)).sign_id(Purpose.CONFIRM, SOMEBODY)
    assert Signer((NEW,)).read_id(Purpose.CONFIRM, token + glued) == SOMEBODY
    assert tokens.read_unsubscribe_token((NEW,), tokens.unsubscribe_token((NEW,), SOMEBODY) + glued) == SOMEBODY


@pytest.mark.parametrize("purpose", list(Purpose))
def test_tokens_hold_only_characters_that_survive_mail(purpose: Purpose) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{60,120}", Signer((NEW,)).sign_id(purpose, SOMEBODY))


@given(st.text(max_size=700))
def test_no_text_from_outside_makes_reading_a_token_fail_in_any_other_way(text: str) -> None:
    with pytest.raises(TokenInvalid):
        Signer((NEW,)).read_id(Purpose.CONFIRM, text)
    with pytest.raises(TokenInvalid):
        tokens.read_unsubscribe_token((NEW,), text)
    with pytest.raises(TokenInvalid):
        tokens.read_envelope_tag((NEW,), text)


@given(st.integers(0, 45), st.integers(1, 63))
def test_any_other_character_anywhere_makes_an_unsubscribe_token_invalid(place: int, step: int) -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    token = tokens.unsubscribe_token((NEW,), SOMEBODY)
    other = alphabet[(alphabet.index(token[place]) + step) % 64]
    with pytest.raises(TokenInvalid):
        tokens.read_unsubscribe_token((NEW,), token[:place] + other + token[place + 1 :])


def test_an_unsubscribe_link_of_three_keys_ago_still_works() -> None:
    token = tokens.unsubscribe_token((OLD,), SOMEBODY)
    assert tokens.read_unsubscribe_token((OLD, "k" * 32, "l" * 32, NEW), token) == SOMEBODY


def test_an_envelope_tag_fits_a_local_part_and_survives_a_server_that_changes_case() -> None:
    tag = tokens.envelope_tag((NEW,), SOMEBODY)
    assert len(tag) == 57
    assert re.fullmatch(r"b-[a-z2-7]+", tag)
    assert tokens.read_envelope_tag((NEW,), tag.upper()) == SOMEBODY


def test_an_unsubscribe_token_is_no_envelope_tag() -> None:
    raw = tokens.permanent_token((NEW,), tokens.PermanentPurpose.UNSUBSCRIBE, SOMEBODY)
    import base64

    with pytest.raises(TokenInvalid):
        tokens.read_envelope_tag((NEW,), "b-" + base64.b32encode(raw).decode().rstrip("=").lower())


def test_the_format_never_changes() -> None:
    """Vectors: a link in somebody's mail of 2026 must work in a program of 2036."""
    key = "vector-key-0123456789-0123456789-abc"
    assert tokens.unsubscribe_token((key,), SOMEBODY) == VECTOR_UNSUBSCRIBE
    assert tokens.envelope_tag((key,), SOMEBODY) == VECTOR_ENVELOPE


VECTOR_UNSUBSCRIBE = "AaIAESIzRFVmd4iZqrvM3e7_4hI5RlPVrQC3W3eOCNu_Aw"
VECTOR_ENVELOPE = "b-agraaejcgncfkztxrcm2vo6m3xxp7xw4ur6mvkkd5vjuqj6ughtacza"


def test_a_suppressed_address_is_known_by_a_keyed_hash_that_survives_new_keys() -> None:
    assert tokens.keyed_hash((OLD,), "suppression", "tom@example.org") == tokens.keyed_hash(
        (OLD, NEW), "suppression", "tom@example.org"
    )
    assert tokens.keyed_hash((NEW,), "suppression", "tom@example.org") != tokens.keyed_hash(
        (OLD,), "suppression", "tom@example.org"
    )


def test_a_message_name_leads_back_to_its_delivery_and_cannot_be_made_up() -> None:
    name = tokens.message_name((OLD, NEW), 12, 3456)
    assert name.startswith("12.3456.")
    assert tokens.read_message_name((OLD,), name) == (12, 3456)
    seal = name.rpartition(".")[2]
    for forged in (
        f"12.3457.{seal}",
        f"13.3456.{seal}",
        f"12.3456.{'0' * 18}",
        f"012.3456.{seal}",
        name + "0",
        "",
        "12",
    ):
        with pytest.raises(TokenInvalid):
            tokens.read_message_name((OLD, NEW), forged)


def test_a_token_has_one_spelling() -> None:
    """The last character of a signature has two bits that carry nothing: only one of four spellings is good."""
    signer = Signer(("a-key-that-is-long-enough-for-a-test",))
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for number in range(50):
        token = signer.sign_id(Purpose.CONFIRM, uuid.UUID(int=number))
        good = [letter for letter in letters if _reads(signer, token[:-1] + letter)]
        assert good == [token[-1]]


def _reads(signer: Signer, token: str) -> bool:
    try:
        signer.read_id(Purpose.CONFIRM, token)
    except TokenInvalid:
        return False
    return True
