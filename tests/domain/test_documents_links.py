"""Links that a mail filter rewrote are what their writer meant again, wherever somebody brings them in."""

from datetime import datetime

import pytest
from flask import Flask

from newsletter.db import transaction
from newsletter.domain.issues import editing
from newsletter.domain.issues.rewritten_links import Verdict, cleaned_links, original_link, restored
from newsletter.rendering.blocks import KINDS, kind
from tests.domain.issue_makers import desk, draft

GUIDE = "https://guide.example.org/chapter-4?page=2&print=yes#forms"
SAFE_LINK = (
    "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fguide.example.org%2Fchapter-4%3Fpage%3D2"
    "%26print%3Dyes%23forms&data=05%7C02%7Cbethan%40example.org%7C08dc&sdata=Q29%2Bw%3D&reserved=0"
)
MIMECAST = "https://protect-eu.mimecast.com/s/Kx4bCG8xPcY7?domain=guide.example.org"


@pytest.mark.parametrize(
    "rewritten",
    [
        SAFE_LINK,
        "https://statics.teams.cdn.office.net/evergreen-assets/safelinks/2/atp-safelinks.html?url="
        "https%3A%2F%2Fguide.example.org%2Fchapter-4%3Fpage%3D2%26print%3Dyes%23forms&locale=en-gb",
        "https://urldefense.proofpoint.com/v1/url?u=https://guide.example.org/chapter-4%3Fpage%3D2%26print%3Dyes%23forms"
        "&k=abc&r=bethan",
        "https://urldefense.proofpoint.com/v2/url?u=https-3A__guide.example.org_chapter-2D4-3Fpage-3D2-26print-3Dyes"
        "-23forms&d=DwMFAg&c=x&r=y",
        "https://urldefense.com/v3/__https://guide.example.org/chapter-4?page=2&print=yes*forms__;Iw!!Abc-d_e!xyz$",
        "https://urldefense.com/v3/__https:/guide.example.org/chapter-4*page=2**Aprint=yes*forms__;PyYjIw!!A!b$",
        "https://linkprotect.cudasvc.com/url?a=https%3a%2f%2fguide.example.org%2fchapter-4%3fpage%3d2%26print%3dyes"
        "%23forms&c=E,1,abc&typo=1",
        "https://secure-web.cisco.com/1abcDEF/https%3A%2F%2Fguide.example.org%2Fchapter-4%3Fpage%3D2%26print%3Dyes%23forms",
        "https://us3.wis.trendmicro.com/wis/clicktime/v1/query?url=https%3A%2F%2Fguide.example.org%2Fchapter-4%3Fpage"
        "%3D2%26print%3Dyes%23forms&umid=1",
        "https://eu-west-2.protection.sophos.com/?d=example.org&u=aHR0cHM6Ly9ndWlkZS5leGFtcGxlLm9yZy9jaGFwdGVyLTQ_cGFnZT0y"
        "JnByaW50PXllcyNmb3Jtcw&i=1",
        "https://links-1.govdelivery.com/CL0/https:%2F%2Fguide.example.org%2Fchapter-4%3Fpage=2%26print=yes%23forms/1/"
        "0100018/abc=350",
        "https://www.google.com/url?sa=t&q=https%3A%2F%2Fguide.example.org%2Fchapter-4%3Fpage%3D2%26print%3Dyes%23forms&x=1",
        "https://l.facebook.com/l.php?u=https%3A%2F%2Fguide.example.org%2Fchapter-4%3Fpage%3D2%26print%3Dyes%23forms&h=A",
    ],
)
def test_the_original_is_had_again(rewritten: str) -> None:
    if "**A" in rewritten:
        # A run of two signs, "&" and a "#" more, as the filter packs them.
        assert original_link(rewritten).url == "https://guide.example.org/chapter-4?page=2&#print=yes#forms"
        return
    assert (original_link(rewritten).url, original_link(rewritten).verdict) == (GUIDE, Verdict.RESTORED)


def test_two_filters_one_behind_the_other_are_undone() -> None:
    from urllib.parse import quote

    twice = f"https://urldefense.com/v3/__{SAFE_LINK}__;!!A!b$"
    thrice = f"https://linkprotect.cudasvc.com/url?a={quote(twice, safe='')}&c=E"
    assert original_link(thrice).url == GUIDE


@pytest.mark.parametrize(
    "hidden",
    [
        MIMECAST,
        "https://url.uk.m.mimecastprotect.com/s/abc?domain=guide.example.org",
        "https://lnks.gd/l/eyJhbGciOiJIUzI1NiJ9.abc/s/1/br/2",
        "https://larkmere.us1.list-manage.com/track/click?u=a&id=b&e=c",
        "https://eur01.safelinks.protection.outlook.com/?data=05",
        "https://eur01.safelinks.protection.outlook.com/?url=javascript%3Aalert(1)",
        "https://urldefense.com/v3/nonsense",
        "https://urldefense.com/v3/__https://guide.example.org/*__;w!!A!b$",
        "https://linkprotect.cudasvc.com/url?a=" + "https%3A%2F%2Flinkprotect.cudasvc.com%2Furl%3Fa=" * 6 + "x",
    ],
)
def test_what_cannot_be_undone_is_blocked_with_what_to_do(hidden: str) -> None:
    found = original_link(hidden)
    assert found.verdict is Verdict.BLOCKED
    assert "copy the address of the page" in found.sentence


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://larkmere.sharepoint.com/:w:/s/partnership/Ea?e=1", "larkmere.sharepoint.com"),
        ("https://1drv.ms/w/s!abc", "1drv.ms"),
        ("https://intranet/policies", "intranet"),
        ("https://intranet.example.org/policies", "intranet.example.org"),
        ("https://files.council.local/x", "files.council.local"),
        ("http://10.1.2.3/x", "10.1.2.3"),
        ("http://[::1]/x", "::1"),
    ],
)
def test_pages_that_others_cannot_open_are_warned_about(url: str, host: str) -> None:
    found = original_link(url)
    assert (found.url, found.verdict) == (url, Verdict.WARNED)
    assert host in found.sentence


@pytest.mark.parametrize(
    "url",
    [GUIDE, "mailto:bethan@example.org", "tel:01632960127", "", "https://", "http://[broken", "https://example.org:99999/",
     "https://notmimecast.example.org/s/x", "https://www.mimecast.com/products", "https://example.org/?url=https://x.example",
     "https://safelinks.protection.outlook.com.example.org/?url=https%3A%2F%2Fa.example.org"],
)  # fmt: skip
def test_other_links_are_left_as_they_are(url: str) -> None:
    found = original_link(url)
    assert (found.url, found.verdict, found.sentence) == (url, Verdict.KEPT, "")


def test_an_address_in_a_sentence_keeps_the_sentences_stop() -> None:
    assert restored(f"See {SAFE_LINK}. Then ({MIMECAST}).") == f"See {GUIDE}. Then ({MIMECAST})."


def test_every_save_turns_links_back(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = draft(d, now)
    link = SAFE_LINK.replace("&", "&amp;")
    with transaction():
        block = editing.add_block(
            issue, "section",
            {"heading": "Guide", "body": f'<p>Read <a href="{link}">the guide</a> or {link}. A &lt;b&gt;.</p>'},
            position=2, actor=d.ruth, now=now,
        )  # fmt: skip
    shown = GUIDE.replace("&", "&amp;")
    body = f'<p>Read <a href="{shown}">the guide</a> or {shown}. A &lt;b&gt;.</p>'
    assert block.data["body"] == body
    with transaction():
        editing.edit_block(
            block, {"heading": "Guide", "body": f'<ul><li><a href="{link}">a</a></li></ul>'}, expected_version=1,
            actor=d.ruth, now=now,
        )  # fmt: skip
    assert block.data["body"] == f'<ul><li><a href="{shown}">a</a></li></ul>'
    with transaction():
        (added,) = editing.add_blocks(
            issue, [editing.BlockDraft("resources", {"heading": "More", "items": [{"title": "G", "url": SAFE_LINK}]})],
            position=3, actor=d.ruth, now=now,
        )  # fmt: skip
    assert added.data["items"][0]["url"] == GUIDE


@pytest.mark.parametrize("name", KINDS)
def test_sections_without_such_links_are_not_touched(name: str) -> None:
    empty = kind(name).clean({})
    assert cleaned_links(name, empty) == empty
