"""How much personal data is found, and how often something else is taken for it, in 400 made-up sentences."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

import pytest

from newsletter.domain.issues.checking.passages import Passage
from newsletter.domain.issues.checking.privacy import check_privacy, masked
from newsletter.domain.issues.checking.surroundings import Surroundings
from newsletter.rendering.content import BlockContent
from tests.domain.personal_data.negatives import NEGATIVES
from tests.domain.personal_data.positives import POSITIVES

_AROUND = Surroundings(
    datetime(2026, 12, 14, 10, 0), True, frozenset({"example.org"}), frozenset({"01632960100"}), frozenset({"LK11AA"})
)
_SECTION = BlockContent("a", "section", {})
#: What was measured when the corpus was written; less is a step back.
LEAST_RECALL, LEAST_PRECISION = 0.94, 0.995


def _found(sentence: str) -> set[str]:
    return {each.code for each in check_privacy(Passage(_SECTION, "body", sentence), _AROUND) if each.blocking}


def _share(part: Iterable[object], whole: Iterable[object]) -> float:
    return len(list(part)) / len(list(whole))


def test_the_corpus_is_whole() -> None:
    assert (len(POSITIVES), len({sentence for _code, sentence in POSITIVES})) == (200, 200)
    assert (len(NEGATIVES), len(set(NEGATIVES))) == (200, 200)


def test_recall_and_precision(capsys: pytest.CaptureFixture[str]) -> None:
    hits = [(code, sentence) for code, sentence in POSITIVES if code in _found(sentence)]
    missed = [(code, sentence) for code, sentence in POSITIVES if code not in _found(sentence)]
    wrong = [(sentence, _found(sentence)) for sentence in NEGATIVES if _found(sentence)]
    recall, precision = _share(hits, POSITIVES), len(hits) / (len(hits) + len(wrong))
    with capsys.disabled():
        print(f"\npersonal data: recall {recall:.3f}, precision {precision:.3f}")
        for code, number in sorted(Counter(code for code, _sentence in POSITIVES).items()):
            print(f"  {code}: {sum(1 for each, _sentence in hits if each == code)} of {number}")
        for code, sentence in missed:
            print(f"  missed {code}: {sentence}")
        for sentence, codes in wrong:
            print(f"  wrongly {', '.join(sorted(codes))}: {sentence}")
    assert recall >= LEAST_RECALL
    assert precision >= LEAST_PRECISION


@pytest.mark.parametrize(("code", "sentence"), POSITIVES)
def test_nothing_that_is_found_is_shown_whole(code: str, sentence: str) -> None:
    for each in check_privacy(Passage(_SECTION, "body", sentence), _AROUND):
        digits = "".join(filter(str.isdigit, each.excerpt))
        assert len(digits) <= 3
        assert each.exact not in f"{each!r}{each.to_json()}{each.key}"


def test_what_is_masked_can_still_be_found_in_the_text() -> None:
    assert masked("999 123 4578") == "99• ••• ••••"
