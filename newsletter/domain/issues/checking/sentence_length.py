"""Sentences that are too long to be read once."""

import re
from collections.abc import Iterator

from ....i18n import gettext as _
from .excerpts import sentences, shortened
from .findings import Finding
from .passages import Passage

#: Plain-language guides of public bodies ask for 25 words at most; above this readers lose the thread.
LONGEST = 35
_WORD = re.compile(r"\w[\w’'-]*")


def check_length(passage: Passage) -> Iterator[Finding]:
    """The findings of one passage."""
    for sentence in sentences(passage.text):
        number = len(_WORD.findall(sentence))
        if number > LONGEST:
            yield Finding(
                "long_sentence", False, _("A sentence has {number} words.").format(number=number),
                why=_("Some 25 are read with ease; above {most} many readers give up.").format(most=LONGEST),
                block_id=passage.block_id, field=passage.field, excerpt=shortened(sentence, 90), exact=sentence,
            )  # fmt: skip
