"""What an operator is told about the domains that the newsletter comes from."""

import pytest

from newsletter.doctor.domains import examine_domains
from newsletter.doctor.findings import Notes
from newsletter.mail.names import NoNames
from tests.doctor.reading import good, unknown, warned, wrong
from tests.name_server import NameServer, Zone

SENDER = "newsletter@larkmere.example"
GOOD: Zone = {
    ("larkmere.example", "MX"): ["20 spare.example.net.", "10 mail.example.net."],
    ("mail.example.net", "A"): ["192.0.2.1"],
    ("spare.example.net", "AAAA"): ["2001:db8::1"],
    ("larkmere.example", "TXT"): ['"some-site-verification=1"', '"v=spf1 include:spf.example.net -all"'],
    ("spf.example.net", "TXT"): ['"v=spf1 ip4:192.0.2.0/24 ~all"'],
    ("_dmarc.larkmere.example", "TXT"): ['"v=DMARC1; p=quarantine; rua=mailto:reports@larkmere.example"'],
}


def _found(changes: Zone | None = None, *, sender: str = SENDER, bounces: str | None = None) -> Notes:
    zone = {place: records for place, records in {**GOOD, **(changes or {})}.items() if records}
    with NameServer(zone) as server:
        return examine_domains([sender], bounces, server.names())


def test_a_domain_that_is_well_set_up() -> None:
    found = _found()
    assert [finding.state.value for finding in found] == ["good"] * 4
    assert "Mail for larkmere.example goes to mail.example.net" in good(found)
    assert "ends in -all and needs 1 of 10 lookups" in good(found)
    assert "DMARC for larkmere.example: quarantine" in good(found)
    assert "so SPF counts for DMARC" in good(found)


def test_a_domain_with_nothing() -> None:
    found = _found({place: [] for place in GOOD})
    assert "no mail server (MX)" in wrong(found)
    assert "no SPF record" in wrong(found)
    assert "no DMARC record" in wrong(found)
    assert all(finding.what_to_do for finding in found)


def test_a_personal_mailbox_can_send_no_newsletter() -> None:
    found = _found(sender="larkmere@Gmail.com")
    assert "gmail.com is a provider of personal mailboxes" in wrong(found)
    assert not good(found)


def test_a_machine_s_own_name_is_no_sender() -> None:
    assert wrong(_found(sender="newsletter@localhost")) == "localhost is no domain that mail can come from."


@pytest.mark.parametrize(
    ("record", "state", "words"),
    [
        (['"v=spf1 +all"'], "wrong", "anybody may send in its name"),
        (['"v=spf1 ip4:192.0.2.1 ?all"'], "warning", "forbids nobody anything"),
        (['"v=spf1 ip4:192.0.2.1"'], "warning", "forbids nobody anything"),
        (['"v=spf1 -all"', '"v=spf1 mx -all"'], "wrong", "2 SPF records"),
        (['"v=spf1 ipv4:192.0.2.1 -all"'], "wrong", "“ipv4:192.0.2.1”, which is no mechanism"),
        (['"v=spf1 include:nobody.example -all"'], "wrong", "leads to nobody.example, which has no SPF record"),
        (['"v=spf1 ' + "a:mail.example.net " * 11 + '-all"'], "wrong", "needs 11 lookups"),
        (['"v=spf1 a:x.example a:y.example a:z.example -all"'], "wrong", "3 lookups that find nothing"),
    ],
)
def test_spf_records_that_do_not_do_their_work(record: list[str], state: str, words: str) -> None:
    found = _found({("larkmere.example", "TXT"): record})
    assert words in (wrong(found) if state == "wrong" else warned(found))
    assert "has one SPF record" not in good(found)


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ('"v=DMARC1; p=none; rua=mailto:a@larkmere.example; pct=20"', "holds pct, which RFC 9989 (2026) took out"),
        ('"v=DMARC1; rua=mailto:a@larkmere.example"', "has no “p”. It counts as “none”"),
        ('"v=DMARC1; p=reject"', "asks for no reports"),
        ('"v=DMARC1; p=reject; rua=mailto:a@larkmere.example; foo=bar"', "Receivers pass over “foo=bar”"),
    ],
)
def test_dmarc_records_that_could_say_more(record: str, words: str) -> None:
    found = _found({("_dmarc.larkmere.example", "TXT"): [record]})
    assert words in warned(found)
    assert "DMARC for larkmere.example" in good(found)
    assert not wrong(found)


def test_a_policy_taken_from_above_says_where_it_stands() -> None:
    found = _found(
        {("_dmarc.larkmere.example", "TXT"): [], ("_dmarc.example", "TXT"): ['"v=DMARC1; p=reject; sp=none; psd=y"']}
    )
    assert "DMARC for larkmere.example (from _dmarc.example): none" in good(found)


def test_two_dmarc_records_count_as_none() -> None:
    found = _found({("_dmarc.larkmere.example", "TXT"): ['"v=DMARC1; p=none"', '"v=DMARC1; p=reject"']})
    assert "more than one DMARC record" in wrong(found)


BOUNCES: Zone = {
    ("bounces.larkmere.example", "MX"): ["10 mail.example.net."],
    ("bounces.larkmere.example", "TXT"): ['"v=spf1 ip4:192.0.2.1 -all"'],
}


def test_a_bounce_domain_below_the_sender_s_is_aligned() -> None:
    found = _found(BOUNCES, bounces="bounces.larkmere.example")
    assert not wrong(found) + warned(found) + unknown(found)
    assert "of one organisation, so SPF counts" in good(found)
    assert "Mail for bounces.larkmere.example goes to mail.example.net" in good(found)


def test_spf_is_wanted_of_the_bounce_domain_and_not_of_the_sender_s() -> None:
    found = _found({**BOUNCES, ("larkmere.example", "TXT"): []}, bounces="bounces.larkmere.example")
    assert not wrong(found)


def test_a_bounce_domain_elsewhere_leaves_dmarc_to_the_signature() -> None:
    zone = {(name.replace("larkmere", "provider"), kind): records for (name, kind), records in BOUNCES.items()}
    found = _found(zone, bounces="bounces.provider.example")
    assert "does not count for larkmere.example: the two belong to different organisations" in warned(found)


def test_strict_alignment_wants_the_very_same_domain() -> None:
    record = ['"v=DMARC1; p=none; aspf=s; adkim=s; rua=mailto:a@larkmere.example"']
    found = _found({**BOUNCES, ("_dmarc.larkmere.example", "TXT"): record}, bounces="bounces.larkmere.example")
    assert "the very same one (aspf=s)" in warned(found)
    assert "if its d= is exactly larkmere.example" in warned(found)


@pytest.mark.parametrize(
    ("changes", "state", "words"),
    [
        ({("larkmere.example", "MX"): ["0 ."]}, "wrong", "takes no mail at all (a null MX)"),
        ({("mail.example.net", "A"): []}, "warning", "mail.example.net, has no address"),
        ({("mail.example.net", "A"): [], ("spare.example.net", "AAAA"): []}, "wrong", "has no address: replies"),
        ({("larkmere.example", "MX"): [], ("larkmere.example", "A"): ["192.0.2.9"]}, "warning", "has no MX record"),
    ],
)
def test_replies_and_bounces_that_would_be_lost(changes: Zone, state: str, words: str) -> None:
    found = _found(changes)
    assert words in (wrong(found) if state == "wrong" else warned(found))


def test_a_name_server_that_fails_is_no_fault_of_the_domain() -> None:
    with NameServer(GOOD, failing=["larkmere.example", "_dmarc.larkmere.example"]) as server:
        found = examine_domains([SENDER], None, server.names())
    assert "gave no usable answer for larkmere.example" in unknown(found)
    assert not wrong(found)


def test_without_the_network_nothing_is_wrong_and_one_sentence_says_so() -> None:
    found = examine_domains([SENDER], "bounces.larkmere.example", NoNames("Nobody can be asked"))
    assert unknown(found) == "Nobody can be asked."
    assert len(list(found)) == 1


def test_a_resolver_that_knows_only_its_own_network_says_nothing_about_the_domain() -> None:
    with NameServer({}, closed=True) as server:
        found = examine_domains([SENDER], None, server.names())
    assert unknown(found) == "The resolver of this machine knows no names outside its own network."
    assert not wrong(found)
