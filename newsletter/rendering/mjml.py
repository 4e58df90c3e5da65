"""MJML to HTML, guarded: people's words pass through native code that can crash.

Before the compiler sees a source it is read as XML: well formed, no deeper than 100, no larger than 500 KB, and
only elements that our templates use. Then it is compiled in a process of its own with limits of time and memory.
"""

import re
from xml.parsers import expat

from newsletter.errors import Invalid, Problem
from newsletter.i18n import gettext as _

from .mjml_process import Compiler, CompilerDied, CompilerRefused, CompilerSlow

LARGEST = 500 * 1024
DEEPEST = 100
SECONDS = 5.0

_STRUCTURE = frozenset({
    "mjml", "mj-head", "mj-title", "mj-preview", "mj-attributes", "mj-all", "mj-class", "mj-style", "mj-body",
    "mj-section", "mj-column", "mj-text", "mj-button", "mj-image", "mj-divider", "mj-spacer", "mj-table",
})  # fmt: skip
_HTML = frozenset({
    "a", "blockquote", "br", "caption", "div", "h1", "h2", "h3", "li", "ol", "p", "span", "strong", "tbody", "td",
    "th", "thead", "tr", "ul",
})  # fmt: skip
#: Allowed in the head only: there our layouts say that both colour schemes are welcome.
_HEAD_ONLY = frozenset({"mj-raw", "meta"})
_TITLE = re.compile(r"<mj-title>(.*?)</mj-title>", re.DOTALL)
_OWN_TAG = re.compile(r"""<mj-[a-z]+(?:\s+[a-z-]+=(?:"[^"]*"|'[^']*'))+""")
_UNUSUAL = re.compile(r"[^\x20-\x5b\x5d-\x7e\n]")

_compiler = Compiler(SECONDS)


def compile_mjml(source: str) -> str:
    """The HTML of an MJML document, as one string without our comments.

    Raises Invalid, in a sentence, for what is too large, too deep, no XML (entities other than XML's own are not
    known: write &#160;), holds an element or attribute that is not allowed, or fails in the compiler in any way.
    """
    encoded = source.encode("utf-8", "surrogatepass")
    if len(encoded) > LARGEST:
        raise _invalid(_("This is too long for one mail."))
    _Guard().check(encoded)
    try:
        return _compiler.compile(_plain_attributes(source).encode())
    except CompilerSlow:
        raise _invalid(_("The mail could not be made within five seconds.")) from None
    except CompilerDied:
        raise _invalid(_("The mail could not be made: something in it is too much for the mail maker.")) from None
    except CompilerRefused as refused:
        words = _("The mail could not be made ({reason}).")
        raise _invalid(words.format(reason=str(refused)[:200])) from None


def stop_compiler() -> None:
    """End the compiler's process; the next call starts another."""
    _compiler.close()


def _plain_attributes(source: str) -> str:
    """The source with references for whatever the compiler would rewrite.

    It prints titles and the attributes of its own elements with the escapes of another language: a backslash
    would be doubled, a joiner would read \\u{200d}, and a bare quotation mark in a title would end a label.
    """
    source = _TITLE.sub(lambda found: f"<mj-title>{_referenced(found[1])}</mj-title>", source)
    return _OWN_TAG.sub(lambda found: _UNUSUAL.sub(_reference, found[0]), source)


def _referenced(text: str) -> str:
    return _UNUSUAL.sub(_reference, text.replace('"', "&#34;"))


def _reference(found: re.Match[str]) -> str:
    return f"&#{ord(found[0])};"


def _invalid(sentence: str) -> Invalid:
    return Invalid([Problem("", sentence)])


class _Guard:
    """Reads a source with expat, which neither recurses nor fetches anything, and refuses what we never write."""

    def __init__(self) -> None:
        self._depth = 0
        self._head = False
        self._parser = parser = expat.ParserCreate("utf-8")
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = self._doctype
        parser.ProcessingInstructionHandler = self._instruction

    def check(self, source: bytes) -> None:
        try:
            self._parser.Parse(source, True)
        except expat.ExpatError as error:
            words = _("The mail could not be made: line {line} is not well formed ({reason}).")
            raise _invalid(words.format(line=error.lineno, reason=expat.ErrorString(error.code))) from None

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise _invalid(_("The parts of this mail lie too deep inside each other."))
        if tag == "mj-head":
            self._head = True
        if tag not in _STRUCTURE | _HTML and not (self._head and tag in _HEAD_ONLY):
            raise _invalid(_("A mail cannot hold the element “{tag}”.").format(tag=tag[:40]))
        for name, value in attributes.items():
            if name.startswith("on") or "javascript:" in "".join(value.lower().split()):
                raise _invalid(_("A mail cannot hold the attribute “{name}”.").format(name=name[:40]))

    def _end(self, tag: str) -> None:
        self._depth -= 1
        if tag == "mj-head":
            self._head = False

    def _doctype(self, *_arguments: object) -> None:
        raise _invalid(_("A mail cannot declare a document type."))

    def _instruction(self, *_arguments: object) -> None:
        raise _invalid(_("A mail cannot hold processing instructions."))
