"""Reading what was rendered: the links of a part, with their words."""

from dataclasses import dataclass
from html.parser import HTMLParser


@dataclass(frozen=True)
class Anchor:
    """One link of the mail: where it leads, its words, and the block that it stands in."""

    url: str
    words: str
    block_id: str


def anchors(source: str, block_id: str) -> list[Anchor]:
    """The links of an MJML partial or of HTML, in order."""
    reader = _Anchors(block_id)
    reader.feed(str(source))  # a Markup would escape its own slices
    reader.close()
    return reader.found


class _Anchors(HTMLParser):
    def __init__(self, block_id: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Anchor] = []
        self._block_id = block_id
        self._url: str | None = None
        self._words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("a", "mj-button"):
            self._url, self._words = dict(attrs).get("href"), ""

    def handle_data(self, data: str) -> None:
        self._words += data

    def handle_endtag(self, tag: str) -> None:
        if tag in ("a", "mj-button") and self._url:
            self.found.append(Anchor(self._url, " ".join(self._words.split()), self._block_id))
            self._url = None
