"""SPF and DMARC records as people publish them: what each says, and what breaks it."""

import pytest

from newsletter.doctor import dmarc, spf
from newsletter.mail.names import NamesUnavailable
from tests.name_server import NameServer, Zone

# --- SPF (RFC 7208) ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "ending", "mechanisms"),
    [
        ("v=spf1 -all", "-", "all"),
        ("v=spf1 mx a:mail.example.org/28 ip4:192.0.2.0/24 ip6:2001:db8::/32 ~all", "~", "mx a ip4 ip6 all"),
        ("V=SPF1 INCLUDE:spf.example.net ?ALL", "?", "include all"),
        ("v=spf1 mx//64 a/24//64 all", "+", "mx a all"),
        ("v=spf1 redirect=_spf.example.org", "", ""),
        ("v=spf1 exists:%{ir}.list.example.org exp=why.example.org x-own=1 -all", "-", "exists all"),
        ("v=spf1", "", ""),
    ],
)
def test_spf_records_are_read_term_by_term(text: str, ending: str, mechanisms: str) -> None:
    record = spf.parse(text)
    assert spf.is_spf(text)
    assert record.ending == ending
    assert [term.mechanism for term in record.terms] == mechanisms.split()


@pytest.mark.parametrize("text", ["v=spf10 -all", "v=spf2.0/pra -all", "google-site-verification=v=spf1", "spf1 -all"])
def test_other_texts_are_no_spf_records(text: str) -> None:
    assert not spf.is_spf(text)


@pytest.mark.parametrize(
    "text",
    [
        "v=spf1 include -all",
        "v=spf1 include: -all",
        "v=spf1 ipv4:192.0.2.1 -all",
        "v=spf1 ip4 -all",
        "v=spf1 mx,a -all",
        "v=spf1 redirect= -all",
        "v=spf1 redirect=a.example.org redirect=b.example.org",
        "v=spf1 –all",
    ],
)
def test_a_term_that_spf_does_not_know_breaks_the_record(text: str) -> None:
    with pytest.raises(spf.SpfBroken):
        spf.parse(text)


def _count(zone: Zone, domain: str = "example.org") -> spf.Count:
    with NameServer(zone) as server:
        names = server.names()
        return spf.count(domain, spf.parse(spf.records_of(domain, names)[0]), names)


def test_lookups_are_counted_through_includes_and_redirects() -> None:
    total = _count(
        {
            ("example.org", "TXT"): ['"v=spf1 include:one.example.net ip4:192.0.2.1 " "redirect=two.example.net"'],
            ("one.example.net", "TXT"): ['"v=spf1 a mx exists:%{i}.example.net ptr -all"'],
            ("one.example.net", "A"): ["192.0.2.2"],
            ("one.example.net", "MX"): ["10 mail.example.net."],
            ("two.example.net", "TXT"): ['"v=spf1 include:three.example.net ~all"'],
            ("three.example.net", "TXT"): ['"v=spf1 ip4:192.0.2.3 -all"'],
        }
    )
    assert (total.lookups, total.void, total.ending) == (7, 0, "~")


def test_lookups_that_find_nothing_are_counted_by_themselves() -> None:
    total = _count({("example.org", "TXT"): ['"v=spf1 a mx a:gone.example.org -all"']})
    assert (total.lookups, total.void) == (3, 3)


def test_a_record_that_includes_itself_is_followed_no_further_than_it_must() -> None:
    zone = {("example.org", "TXT"): ['"v=spf1 include:example.org include:example.org -all"']}
    with NameServer(zone) as server:
        assert spf.count("example.org", spf.parse("v=spf1 include:example.org -all"), server.names()).lookups > 10
        assert len(server.asked) <= 2 * spf.MOST_LOOKUPS + 1


def test_an_include_without_a_record_is_a_permanent_error() -> None:
    with pytest.raises(spf.SpfBroken, match=r"gone\.example\.net, which has no SPF record"):
        _count({("example.org", "TXT"): ['"v=spf1 include:gone.example.net -all"']})


# --- DMARC (RFC 9989) --------------------------------------------------------------------------------------------


def test_a_record_of_2026_without_p_counts_as_none() -> None:
    record = dmarc.parse("v=DMARC1; rua=mailto:Reports@example.org; np=reject; psd=n; t=y")
    assert record is not None
    assert (record.policy, record.testing, record.tags["np"]) == ("none", True, "reject")
    assert record.tags["rua"] == "mailto:Reports@example.org"


def test_removed_tags_are_told_apart_from_unknown_ones() -> None:
    record = dmarc.parse("v=DMARC1;p=QUARANTINE ;pct=50; rf=afrf; ri=86400; x-own=1; sp=never; adkim=s;; junk;")
    assert record is not None
    assert (record.policy, record.policy_below) == ("quarantine", "quarantine")
    assert record.removed == ("pct", "rf", "ri")
    assert record.ignored == ("x-own=1", "sp=never", "junk")
    assert record.strict("adkim")
    assert not record.strict("aspf")


@pytest.mark.parametrize("text", ["v=DMARC2; p=none", "v=dmarc1; p=none", "p=none; v=DMARC1", "v=spf1 -all", "", ";"])
def test_a_text_that_does_not_begin_with_the_version_is_no_record(text: str) -> None:
    assert dmarc.parse(text) is None


def _discover(zone: Zone, domain: str) -> dmarc.Discovery:
    with NameServer(zone) as server:
        return dmarc.discover(domain, server.names())


def test_the_domain_s_own_record_comes_first_and_the_highest_one_names_the_organisation() -> None:
    found = _discover(
        {
            ("_dmarc.news.council.example", "TXT"): ['"v=DMARC1; p=none"'],
            ("_dmarc.council.example", "TXT"): ['"v=DMARC1; p=reject"'],
        },
        "news.council.example",
    )
    assert (found.at, found.organisation) == ("news.council.example", "council.example")
    assert found.record is not None
    assert found.record.policy == "none"


def test_a_domain_without_a_record_takes_that_of_its_organisation() -> None:
    found = _discover({("_dmarc.council.example", "TXT"): ['"v=DMARC1; p=reject; sp=none"']}, "a.b.council.example")
    assert (found.at, found.organisation) == ("council.example", "council.example")
    assert found.record is not None
    assert found.record.policy_below == "none"


def test_a_public_suffix_domain_ends_the_walk_one_label_below_itself() -> None:
    found = _discover({("_dmarc.gov.example", "TXT"): ['"v=DMARC1; p=reject; psd=y"']}, "news.larkmere.gov.example")
    assert found.organisation == "larkmere.gov.example"
    assert found.at == "gov.example"


def test_a_domain_that_says_it_is_no_suffix_is_the_organisation_itself() -> None:
    found = _discover(
        {
            ("_dmarc.larkmere.gov.example", "TXT"): ['"v=DMARC1; p=none; psd=n"'],
            ("_dmarc.gov.example", "TXT"): ['"v=DMARC1; p=reject"'],
        },
        "news.larkmere.gov.example",
    )
    assert (found.at, found.organisation) == ("larkmere.gov.example", "larkmere.gov.example")


def test_the_walk_asks_eight_times_at_most() -> None:
    with NameServer({}) as server:
        found = dmarc.discover("a.b.c.d.e.f.g.h.i.council.example", server.names())
        assert found.record is None
        assert [name for name, _ in server.asked] == [
            "_dmarc.a.b.c.d.e.f.g.h.i.council.example",
            *(f"_dmarc.{name}" for name in _suffixes("e.f.g.h.i.council.example")),
        ]


def _suffixes(name: str) -> list[str]:
    labels = name.split(".")
    return [".".join(labels[start:]) for start in range(len(labels))]


def test_two_records_at_one_place_count_as_none() -> None:
    found = _discover({("_dmarc.example.org", "TXT"): ['"v=DMARC1; p=none"', '"v=DMARC1; p=reject"']}, "example.org")
    assert (found.record, found.several) == (None, "example.org")


# --- no answer is not "none" -------------------------------------------------------------------------------------


def test_a_name_server_that_fails_or_is_silent_is_told_apart_from_one_that_knows_no_record() -> None:
    with NameServer({}, silent=["silent.example"], failing=["failing.example"]) as server:
        assert server.names().texts("nobody.example") == []
        assert server.names().texts("not..a.name") == []
        with pytest.raises(NamesUnavailable, match=r"failing\.example"):
            server.names().texts("failing.example")
        with pytest.raises(NamesUnavailable, match=r"No name server answered for silent\.example"):
            server.names(seconds=0.2).texts("silent.example")
