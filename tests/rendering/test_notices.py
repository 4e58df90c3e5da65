"""The mails to one person: complete, escaped, and the same words in both parts."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from newsletter.errors import NotFound
from newsletter.rendering.notices import NOTICES, NoticeFrame, compose
from newsletter.resources import data_dir

FRAME = NoticeFrame(
    publication="Safeguarding news",
    organisation="Larkmere Safeguarding Children Partnership",
    address="Millrace House, 4 Weir Street\nLarkmere",
    contact_email="newsletter@example.org",
    privacy_url="https://news.example.org/privacy",
    reason="You get this because news was sent to us with this address.",
)
TOKEN = "j7hWjUVjvr1-76l9nmzU8gJDhhOLAvnv8Hlm7HNZPQZ29FcYCBjKtTXCjukmVovto"
VALUES = {
    "lists": ["Safeguarding news", "Policy changes"],
    "works_until": "10am, Monday 14 December 2026",
    "confirm_url": f"https://news.example.org/confirm/{TOKEN}",
    "not_me_url": f"https://news.example.org/not-me/{TOKEN}",
    "preferences_url": f"https://news.example.org/preferences/{TOKEN}",
    "data_url": f"https://news.example.org/your-data/{TOKEN}",
    "rejoin_url": f"https://news.example.org/come-back/{TOKEN}",
    "renew_url": f"https://news.example.org/still/{TOKEN}",
    "unsubscribe_url": f"https://news.example.org/u/{TOKEN}",
    "change_url": f"https://news.example.org/new-address/{TOKEN}",
    "undo_url": f"https://news.example.org/undo-address/{TOKEN}",
    "masked": "as…el@example.org",
    "prove_url": f"https://news.example.org/contribute/prove/{TOKEN}",
    "code": "204 816",
    "agency": "Larkmere Police",
    "who": "Sam Okafor",
    "url": "https://news.example.org/desk/issues/december-2026",
    "by": "Ruth Adeyemi",
    "role": "editor",
    "name": "Ewan Marsh",
    "what": "Your password was changed.",
    "when": "10am, Monday 7 December 2026",
    "title": "Spring training dates",
    "body": "Four practice days in March.\n\nBook by Friday.\nPlaces are free.",
    "reference": "LK-7Q4M",
    "number": "1,204",
    "whom": "Subscribed, found by a search",
    "issue": "Safeguarding news, December 2026",
    "deadline": "5pm, Friday 11 December 2026",
    "details": ["Sam Okafor", "sam@example.org"],
    "words": "Hello Nadia,\n\nThank you.\nWe shortened the second paragraph.",
    "until": "5pm, Thursday 10 December 2026 (UK time)",
    "titles": ["Spring training dates", "Helpline hours"],
    "about": "Helpline hours",
    "planned": "Thursday 17 December 2026",
    "comment": "The date in section 3 is past.\nMend it.",
    "at": "10am, Thursday 17 December 2026",
    "recipients": 4218,
    "accepted": 4201,
    "refused": 12,
    "unsure": 1,
    "skipped": 4,
    "deferred": 0,
    "reasons": ["No call for news is open.", "Write to contribute+news@example.org."],
    "notes": ["We left out 1 picture (boat.jpg)."],
    "reason": "The mail server no longer accepts our password.",
    "nothing_url": f"https://news.example.org/contribute/december-2026/nothing/{TOKEN}",
    "was": "5pm, Friday 4 December 2026",
    "wished": "noon, Monday 14 December 2026",
    "list": "Safeguarding news",
    "lines": ["December 2026: 3 contributions came in", "December 2026: 1 asks for more time"],
    "reply": "554 5.7.1 Message rejected: the content looks like spam",
    "reporter": "mx.example.org",
    "said": "The disk of press-1 has 640 MB left.",
    "what_to_do": "Make room for its data directory.",
    "since": "10am, Monday 7 December 2026",
}
HOSTILE = "<script>alert(1)</script>\"&'{{ 7*7 }}{% raw %}<mj-raw><b>"
FIXED = {
    "url", "nothing_url", "prove_url", "confirm_url", "not_me_url", "preferences_url", "data_url", "change_url",
    "undo_url", "rejoin_url",
    "recipients", "accepted", "refused", "unsure", "skipped", "deferred",
}  # fmt: skip


class Page(HTMLParser):
    """What a reader sees of the HTML, and where its links lead."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self._hidden = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._hidden += tag in ("style", "title", "script")
        self.links += [value for name, value in attrs if tag == "a" and name == "href" and value]

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "title", "script")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words += data.replace("\N{NO-BREAK SPACE}", " ").split()


def test_every_folder_is_a_notice_and_every_notice_has_its_three_templates() -> None:
    folders = {path.name for path in Path(data_dir("templates/email/notices")).iterdir() if path.is_dir()}
    assert folders == set(NOTICES)
    for name in NOTICES:
        files = {path.name for path in (Path(data_dir("templates/email/notices")) / name).iterdir()}
        assert files == {"subject.txt", "body.txt", "body.mjml"}


@pytest.mark.parametrize("name", NOTICES)
def test_a_notice_is_whole(name: str) -> None:
    subject, text, html = compose(name, VALUES, FRAME)
    page = Page(html)
    assert subject
    assert "\n" not in subject
    assert page.tags.count("h1") == 1
    assert '<html lang="en-GB"' in html
    assert f"<title>{subject}</title>" in html.replace("&#39;", "'").replace("&amp;", "&")
    assert not [tag for tag in page.tags if tag in ("script", "form", "iframe", "link", "img")]
    for line in text.splitlines():
        assert len(line) <= 65 or "://" in line
    for url in page.links:
        assert url.removeprefix("mailto:") in text
    for url in re.findall(r"https?://\S+", text):
        assert url in page.links
    assert "None" not in text
    assert not re.search(r"[{}%]\s", text)


@pytest.mark.parametrize("name", NOTICES)
def test_both_parts_say_the_same(name: str) -> None:
    """The words of the text part, but for what only one of them needs (an address written out, a button)."""
    _subject, text, html = compose(name, VALUES, FRAME)
    in_html = set(Page(html).words)
    missing = {word.strip("•.:") for word in text.split() if "://" not in word} - {word.strip(".:") for word in in_html}
    assert len(missing - {"", "--"}) <= 6, missing


@pytest.mark.parametrize("name", NOTICES)
def test_what_people_typed_is_only_words(name: str) -> None:
    values = {
        key: value if key in FIXED else ([HOSTILE] if isinstance(value, list) else HOSTILE)
        for key, value in VALUES.items()
    }
    _subject, text, html = compose(name, values, FRAME)
    assert "script" not in Page(html).tags
    assert "<script>" not in html
    assert "49" not in "".join(word for word in Page(html).words if "7*7" not in word and "4218" not in word)
    if set(NOTICES[name].required + NOTICES[name].optional) & {"title", "by", "lists", "what", "body"}:
        assert "{{ 7*7 }}" in " ".join(text.split()), "in plain text it stands as it was typed"


@pytest.mark.parametrize("name", NOTICES)
def test_what_may_be_missing_may_be_missing(name: str) -> None:
    needed = {key: VALUES[key] for key in NOTICES[name].required}
    _subject, text, html = compose(name, needed, NoticeFrame("Safeguarding news", "Larkmere"))
    assert "None" not in text + html
    for key in needed:
        with pytest.raises(ValueError, match=f"needs {key}"):
            compose(name, {**needed, key: ""}, FRAME)


def test_there_is_no_other_notice() -> None:
    with pytest.raises(NotFound):
        compose("../issue", {}, FRAME)


def test_the_confirmation_in_plain_text() -> None:
    _subject, text, _html = compose("confirm_subscription", VALUES, FRAME)
    assert text.split("\n-- \n")[0] == (
        "1 step left: confirm your subscription\n\n"
        "Somebody, we hope you, asked us to send these to your address:\n\n"
        "• Safeguarding news\n"
        "• Policy changes\n\n"
        "To say yes, open this page and press the button on it:\n"
        f"https://news.example.org/confirm/{TOKEN}\n\n"
        "The link works until 10am, Monday 14 December 2026. If you do\n"
        "nothing, we remind you once, and then forget your address.\n\n"
        "This wasn’t you? Tell us, and we will not ask this address again:\n"
        f"https://news.example.org/not-me/{TOKEN}\n"
    )
