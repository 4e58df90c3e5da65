"""A newsletter written in Word, on the web or in Markdown becomes sections, and nothing of it is lost silently."""

import io
import re
import zipfile
from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.domain.issues.documents import Document, read_document
from newsletter.domain.issues.documents.completeness import without_place
from newsletter.domain.issues.documents.leaving_out import Left, summary
from newsletter.domain.issues.documents.word_parts import lines_of
from newsletter.errors import Invalid
from newsletter.rendering.blocks import kind
from tests.fixtures.documents.make_word import FILE, packed, paragraph, part, parts, picture, relations, run

WORD = FILE.read_bytes()


def _blocks(document: Document) -> list[tuple[str, str]]:
    return [(each.kind, each.data.get("heading", "")) for each in document.proposals]


def _body(document: Document, number: int = 0) -> str:
    body: str = kind(document.proposals[number].kind).clean(document.proposals[number].data)["body"]
    return body


def _left(document: Document) -> dict[Left, tuple[int, tuple[str, ...]]]:
    return {each.what: (each.number, each.words) for each in document.left_out}


# --- Word -----------------------------------------------------------------------------------------------------


def test_the_kept_file_is_the_one_that_its_script_writes() -> None:
    with zipfile.ZipFile(io.BytesIO(WORD)) as kept:
        made = {name: content if isinstance(content, bytes) else content.encode() for name, content in parts().items()}
        assert {name: kept.read(name) for name in kept.namelist()} == made


def test_a_word_document_keeps_its_headings_lists_links_and_table() -> None:
    document = read_document(WORD, "anything.txt")
    assert (document.label, document.strapline) == (
        "Larkmere safeguarding news, December 2026", "What has changed this quarter and what we need from you.",
    )  # fmt: skip
    assert _blocks(document) == [
        ("section", "Neglect practice week"), ("table", "Dates for your diary"), ("section", "New in the office"),
        ("contact", ""), ("call", "Future newsletters"), ("section", "Notes"),
    ]  # fmt: skip
    body = _body(document)
    assert re.findall("<h3>(.*?)</h3>", body) == ["What we heard", "What to do", "A smaller point"]
    assert '<a href="https://guide.example.org/neglect?chapter=4&amp;print=yes">the guide to neglect</a>' in body
    assert "<li>Children want<ul><li>to be told what happens next</li><li>to keep one worker</li></ul></li>" in body
    assert "<ol><li>Write the plan with the family</li><li>Name who does what<ol><li>by when</li></ol></li>" in body
    table = document.proposals[1].data
    assert table["columns"] == {"a": "Date", "b": "What", "c": "Where"}
    assert table["rows"][1] == {"a": "Thursday 18 March 2027", "b": "Forum for designated leads", "c": "Online"}
    assert document.proposals[3].data == {
        "name": "Bethan Price", "role": "Policy officer", "email": "bethan@example.org", "phone": "01632 960127",
    }  # fmt: skip
    assert [each.day for each in document.dates] == [date(2027, 3, 9), date(2027, 3, 18)]
    assert (document.next_deadline, document.unplaced) == (date(2027, 1, 15), ())


def test_tracked_insertions_are_text_and_what_stays_behind_is_told() -> None:
    document = read_document(WORD)
    assert "Every one had a plan, and eleven had been reviewed. Read" in _body(document)
    assert _body(document, 2) == "<p>The boathouse opens on Mondays.</p>"
    assert _left(document) == {
        Left.LOOKS: (1, ()), Left.COMMENTS: (1, ("Is this true of Oakfield?",)),
        Left.DELETIONS: (1, ("but nobody checked",)), Left.HIDDEN: (1, ("Ask Rowan in the office first.",)),
        Left.STRUCK: (1, ()), Left.MARGINS: (1, ("Draft for the editors",)),
        Left.PICTURES: (1, ("The boathouse by the lake",)), Left.AUTHOR: (1, ()),
    }  # fmt: skip
    assert summary(document.left_out).startswith("Colours and fonts, 1 comment, 1 tracked deletion, 1 piece of hidden")
    everything = repr(document.proposals)
    for gone in ("Is this true", "nobody checked", "Ask Rowan", "Draft for the editors", "Ruth Adeyemi"):
        assert gone not in everything


def _changed(name: str, content: str | bytes) -> bytes:
    return packed({**parts(), name: content})


def _bare(body: str) -> dict[str, str | bytes]:
    """The parts without the notes."""
    return {name: content for name, content in parts(body).items() if name != "word/footnotes.xml"}


def _with_entity() -> bytes:
    text = str(parts()["word/document.xml"])
    entity = '<!DOCTYPE x [<!ENTITY boom SYSTEM "file:///etc/hostname">]>'
    return _changed("word/document.xml", text.replace("<w:document", f"{entity}<w:document", 1))


def _in_utf16() -> bytes:
    text = str(parts()["word/styles.xml"]).replace('encoding="UTF-8"', 'encoding="UTF-16"')
    return _changed("word/styles.xml", text.replace("<w:styles", "<!DOCTYPE x><w:styles", 1).encode("utf-16"))


def _bomb() -> bytes:
    return _changed("word/media/big.bin", b"\0" * 30_000_000)


def _many_parts() -> bytes:
    return packed({**parts(), **{f"word/media/{number}.png": b"x" for number in range(2001)}})


def _locked() -> bytes:
    content = bytearray(WORD)
    directory = content.find(b"PK\x01\x02")
    content[directory + 8] |= 1
    return bytes(content)


def _lying() -> bytes:
    """The directory says of a part that it is small."""
    content = packed({**parts(), "word/comments.xml": b" " * 12_000_000})
    size = (12_000_000).to_bytes(4, "little")
    return content.replace(size, (1000).to_bytes(4, "little"))


def _deep() -> bytes:
    inside = "<w:smartTag>" * 3000 + run("x") + "</w:smartTag>" * 3000
    return _changed("word/document.xml", part("document", f"<w:body><w:p>{inside}</w:p></w:body>"))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_with_entity, "declares entities"),
        (_in_utf16, "declares entities"),
        (_bomb, "unpacks to far more"),
        (_many_parts, "more parts"),
        (_locked, "password"),
        (_lying, "damaged|too large"),
        (_deep, "too deep"),
        (lambda: _changed("word/vbaProject.bin", b"x"), "macros"),
        (lambda: _changed("[Content_Types].xml", "<Types><Default ContentType='macroEnabled'/></Types>"), "macros"),
        (lambda: _changed("word/document.xml", "<broken"), "damaged"),
        (lambda: _changed("word/numbering.xml", b"\xff\xfe<"), "damaged"),
        (lambda: packed(_bare("")), "no words"),
        (lambda: packed({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<x/>"}), "Save it as"),
        (lambda: packed({"readme.txt": "x"}), "no Word document"),
        (lambda: WORD[:-200], "damaged"),
        (lambda: WORD[:400] + b"\0" * 200 + WORD[600:], "damaged"),
        (lambda: b"PK\x03\x04" + b"\0" * 21_000_000, "20 MB"),
        (lambda: b"%PDF-1.7 x", "lost its paragraphs"),
        (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, r"\(\.doc\)"),
        (lambda: b"{\\rtf1 x}", r"\(\.rtf\)"),
    ],
)  # fmt: skip
def test_what_is_no_good_word_document_is_refused_in_words(make: Callable[[], bytes], words: str) -> None:
    with pytest.raises(Invalid, match=words) as refused:
        read_document(make(), "news.docx")
    assert refused.value.problems[0].field == "document"


def test_nothing_outside_of_the_file_is_fetched() -> None:
    body = paragraph("A picture:", picture("rIdFar", "far").replace("r:embed", "r:link"))
    far = relations(
        ("rIdFar", "image", "file:///etc/hostname", True), ("rIdT", "attachedTemplate", "http://10.0.0.1/t", True)
    )
    document = read_document(packed({**parts(body), "word/_rels/document.xml.rels": far}))
    assert _left(document)[Left.PICTURES] == (1, ())
    assert _body(document) == "<p>A picture:</p>"


def test_words_in_forms_that_are_not_known_are_told_and_not_lost() -> None:
    ruby = "<w:r><w:ruby><w:rubyBase><w:r><w:t>Llanfair</w:t></w:r></w:rubyBase></w:ruby></w:r>"
    math = "http://schemas.openxmlformats.org/officeDocument/2006/math"
    formula = f"<m:oMath xmlns:m='{math}'><m:r><m:t>a=b</m:t></m:r></m:oMath>"
    document = read_document(packed(_bare(paragraph("In ", ruby, " we meet.") + paragraph("So ", formula, "."))))
    assert document.unplaced == ("In Llanfair we meet.",)
    assert "So a=b." in _body(document)


# --- the web, mails, the clipboard ----------------------------------------------------------------------------

PASTED_FROM_WORD = """<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><meta charset="utf-8">
<style>p.MsoListParagraph {margin:0}</style></head><body lang=EN-GB><!--StartFragment-->
<h2 style='color:#2F5496'>Practice week<o:p></o:p></h2>
<p class=MsoNormal>We plan <b style='mso-bidi-font-weight:normal'>four</b> days:<o:p></o:p></p>
<p class=MsoListParagraphCxSpFirst style='text-indent:-18.0pt;mso-list:l0 level1 lfo1'><![if !supportLists]><span
style='font-family:Symbol'><span style='mso-list:Ignore'>·<span style='font:7.0pt "Times New Roman"'>&nbsp;&nbsp;
</span></span></span><![endif]>schools<o:p></o:p></p>
<p class=MsoListParagraphCxSpMiddle style='mso-list:l0 level2 lfo1'><![if !supportLists]><span
style='mso-list:Ignore'>o<span>&nbsp;</span></span><![endif]>heads</p>
<p class=MsoListParagraphCxSpLast style='mso-list:l0 level1 lfo1'><![if !supportLists]><span
style='mso-list:Ignore'>·<span>&nbsp;</span></span><![endif]>health</p>
<p class=MsoListParagraph style='mso-list:l1 level1 lfo2'><span style='mso-list:Ignore'>1.<span>&nbsp;</span></span>
first</p><p class=MsoNormal><del cite="mailto:x">old</del><ins>new</ins>
<span style='display:none;mso-hide:all'>secret</span>words</p>
<!--EndFragment--></body></html>"""
PASTED_FROM_DOCS = """<meta charset='utf-8'><b style="font-weight:normal;" id="docs-internal-guid-1"><h1 dir="ltr">
<span style="font-size:20pt">Practice week</span></h1><p dir="ltr"><span style="font-weight:400">We plan </span>
<span style="font-weight:700">four</span><span> days:</span></p><ul><li dir="ltr"><p><span>schools</span></p></li>
<ul><li dir="ltr"><p><span>heads</span></p></li></ul><li><p>health</p></li></ul><ol><li><p>first</p></li></ol>
<p>new words</p></b>"""
SAVED_MAIL = """<!DOCTYPE html><html><body><div style="display:none">The line beside the subject</div>
<table role="presentation" width="600"><tr><td><table><tr><td><h2>Practice week</h2></td></tr><tr><td><p>We plan
<strong>four</strong> days:</p><p>• schools</p><p>•&nbsp;&nbsp;health</p></td></tr></table>
<img src="https://t.example/o.gif" width=1 height=1><img src=a.png alt="A lake"></td></tr></table></body></html>"""


@pytest.mark.parametrize("pasted", [PASTED_FROM_WORD, PASTED_FROM_DOCS])
def test_what_is_pasted_keeps_headings_lists_and_bold(pasted: str) -> None:
    document = read_document(pasted)
    assert _blocks(document) == [("section", "Practice week")]
    body = _body(document)
    assert body.startswith(
        "<p>We plan <strong>four</strong> days:</p><ul><li>schools<ul><li>heads</li></ul></li><li>health</li>"
    )
    assert "<li>first</li>" in body
    assert body.endswith("<p>new words</p>")
    assert document.unplaced == ()
    assert Left.LOOKS in _left(document)


def test_deleted_and_hidden_words_of_a_paste_are_told() -> None:
    assert _left(read_document(PASTED_FROM_WORD)) == {
        Left.LOOKS: (1, ()), Left.DELETIONS: (1, ("old",)), Left.HIDDEN: (1, ("secret",)),
    }  # fmt: skip


def test_a_saved_mail_loses_its_scaffolding_and_nothing_else() -> None:
    document = read_document(SAVED_MAIL.encode("utf-16"), "mail.htm")
    assert _blocks(document) == [("section", "Practice week")]
    assert _body(document) == "<p>We plan <strong>four</strong> days:</p><ul><li>schools</li><li>health</li></ul>"
    assert _left(document) == {
        Left.HIDDEN: (1, ("The line beside the subject",)), Left.PICTURES: (1, ("A lake",)),
    }  # fmt: skip


def test_links_are_turned_back_and_those_to_a_disk_are_told() -> None:
    safe = "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fguide.example.org%2F&amp;data=bethan"
    document = read_document(
        f'<h1><a href="{safe}">Guide</a></h1><p>Read <a href="file:///H:/plan.doc">the plan</a>, '
        '<a href="#top">up</a>, <a href="javascript:x()">no</a>.</p>'
    )
    assert _body(document) == '<p><a href="https://guide.example.org/">Guide</a></p><p>Read the plan, up, no.</p>'
    assert _left(document) == {Left.LINKS: (1, ("file:///H:/plan.doc",))}


@pytest.mark.parametrize("declared", ["iso-8859-2", "windows-1250", "nonsense"])
def test_the_encoding_that_a_page_names_is_used(declared: str) -> None:
    encoding = declared if declared != "nonsense" else "cp1252"
    word = "Škoda" if declared != "nonsense" else "café"
    page = f"<html><head><meta charset={declared}></head><body><h1>News</h1><p>{word}</p></body></html>"
    assert _body(read_document(page.encode(encoding))) == f"<p>{word}</p>"


def test_scripts_and_deep_pages_do_no_harm() -> None:
    document = read_document("<div>" * 5000 + "<script>alert(1)</script><p onclick=x()>words</p>" + "</div>" * 5000)
    assert _body(document) == "<p>words</p>"
    tables = "<table><tr><td>" * 300 + "words" + "</td></tr></table>" * 300
    assert "words" in repr(read_document(f"<p>News</p>{tables}").proposals)


# --- Markdown -------------------------------------------------------------------------------------------------

MARKDOWN = """# Larkmere news, March 2027

All you need.

## First *thing*

Some **bold**, [a link](https://example.org/x "title"), [another][guide], <https://example.org/y> and 2 \\* 3.

- one
    - inner
- two
1. a
2. b

```
as it is: <b>
```

> A quoted
> thought.

Dates
-----

| When | What |
|:-----|-----:|
| 9 March 2027 | The board \\| meets |

![The lake](lake.png)

[guide]: https://guide.example.org/
"""


def test_markdown_is_read_by_name_or_by_its_links() -> None:
    document = read_document(MARKDOWN)
    assert _blocks(document) == [("section", "First thing"), ("table", "Dates")]
    assert (document.label, document.strapline) == ("Larkmere news, March 2027", "All you need.")
    assert _body(document) == (
        '<p>Some <strong>bold</strong>, <a href="https://example.org/x">a link</a>, '
        '<a href="https://guide.example.org/">another</a>, <a href="https://example.org/y">https://example.org/y</a> '
        "and 2 * 3.</p><ul><li>one<ul><li>inner</li></ul></li><li>two</li></ul><ol><li>a</li><li>b</li></ol>"
        "<p>as it is: &lt;b&gt;</p><p>A quoted thought.</p>"
    )
    assert _left(document) == {Left.PICTURES: (1, ("The lake",))}
    assert document.unplaced == ()
    assert read_document("Title\n\n*Stars* stay.", "x.txt").format == "text"
    assert read_document("Title\n\n*Stars* go.", "x.md").format == "markdown"


# --- nothing is lost ------------------------------------------------------------------------------------------

_words = st.lists(
    st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), min_size=1, max_size=12), min_size=1, max_size=8
).map(" ".join)
_piece = st.tuples(
    st.sampled_from(["p", "h1", "h2", "h3", "li", "del", "hidden", "td", "a", "b", "Email", "comment"]), _words
)


def _as_html(pieces: list[tuple[str, str]]) -> str:
    from html import escape

    made = {
        "li": "<ul><li>{0}<ul><li>{0}</li></ul></li></ul>",
        "td": "<table><tr><th>{0}</th><th>b</th></tr><tr><td>{0}</td><td>c</td></tr></table>",
        "hidden": "<p style='display:none'>{0}</p>",
        "a": "<p><a href='https://example.org'>{0}</a></p>",
        "Email": "<p>{0}</p><p>Email: x@example.org</p>",
        "b": "<p><b>{0}</b></p>",
        "del": "<p><del>{0}</del></p>",
        "comment": "<!-- x --><div>{0}</div>",
    }
    return "<!doctype html><body>" + "".join(
        made.get(tag, f"<{tag}>{{0}}</{tag}>").format(escape(words)) for tag, words in pieces
    )


def _as_word(pieces: list[tuple[str, str]]) -> bytes:
    from html import escape

    styles = {"h1": "Heading1", "h2": "Heading2", "h3": "Heading3"}
    body = ""
    for tag, typed in pieces:
        words = escape("".join(sign for sign in typed if sign.isprintable()))
        if tag == "del":
            body += paragraph(f"<w:del><w:r><w:delText>{words}</w:delText></w:r></w:del>")
        elif tag == "hidden":
            body += paragraph(run(words, "<w:vanish/>"))
        elif tag == "td":
            cell = f"<w:tc>{paragraph(run(words))}</w:tc>"
            body += f"<w:tbl><w:tr>{cell}{cell}</w:tr><w:tr>{cell}{cell}</w:tr></w:tbl>"
        else:
            body += paragraph(run(words), style=styles.get(tag, ""))
    return packed(parts(body))


def _check(document: Document, source: list[str]) -> None:
    head = (document.label, document.strapline, document.publication, *document.unplaced)
    assert without_place(source, document.proposals, head, document.left_out) == ()
    for block in document.proposals:
        kind(block.kind).clean(block.data)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_piece, min_size=1, max_size=12))
def test_no_page_loses_a_word(pieces: list[tuple[str, str]]) -> None:
    try:
        document = read_document(_as_html(pieces))
    except Invalid as refused:
        assert "no words" in str(refused)
        return
    _check(document, [words for _tag, words in pieces])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_piece, min_size=1, max_size=10))
def test_no_word_document_loses_a_word(pieces: list[tuple[str, str]]) -> None:
    try:
        document = read_document(_as_word(pieces))
    except Invalid as refused:
        assert "no words" in str(refused)
        return
    _check(document, ["".join(sign for sign in words if sign.isprintable()) for _tag, words in pieces])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(["", "# ", "## ", "- ", "1. ", "> ", "**", "| a | ", "    "]), _words),
                min_size=1, max_size=12))  # fmt: skip
def test_no_markdown_document_loses_a_word(pieces: list[tuple[str, str]]) -> None:
    text = "\n\n".join(mark + re.sub(r"[\[\]<>&\\!_*]", "", words) for mark, words in pieces)
    try:
        document = read_document(text, "news.md")
    except Invalid as refused:
        assert "no words" in str(refused)
        return
    _check(document, [re.sub(r"[\[\]<>&\\!_*]", "", words) for _mark, words in pieces])


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["", "PK\x03\x04", "<html><p>", "<p>x</p>"]))
def test_anything_is_read_or_refused_in_words(tail: bytes, start: str) -> None:
    try:
        document = read_document(start.encode() + tail, "x.html")
    except Invalid as refused:
        assert refused.problems[0].sentence.endswith((".", "once."))
        return
    for block in document.proposals:
        kind(block.kind).clean(block.data)


def test_lines_are_counted_from_the_file_itself() -> None:
    from xml.etree import ElementTree

    body = ElementTree.fromstring(str(parts()["word/document.xml"]).encode())
    assert "Parents want plain words" in list(lines_of(body))


def test_a_table_that_ours_cannot_hold_is_rows_of_text() -> None:
    head = "<tr><th>Day</th><th>What</th></tr>"
    linked = f'<h1>Dates</h1><table>{head}<tr><td>9 March 2027</td><td><a href="https://example.org/">Book</a></td></tr></table>'
    assert _body(read_document(linked)) == (
        "<ul><li><strong>Day:</strong> 9 March 2027; "
        '<strong>What:</strong> <a href="https://example.org/">Book</a></li></ul>'
    )
    rows = "<tr><td>Monday</td><td>Training</td></tr><tr><td>Friday</td><td>Forum</td></tr>"
    bare = f"<h1>Dates</h1><p>See:</p><table>{rows}</table>"
    assert _body(read_document(bare)) == "<p>See:</p><ul><li>Monday; Training</li><li>Friday; Forum</li></ul>"
