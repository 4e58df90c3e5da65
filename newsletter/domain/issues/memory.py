"""What was made of some words lately, so that a change of one section is no work for the thirty others."""

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from ...rendering.content import BlockContent, IssueContent

_Made = TypeVar("_Made")


class Memory(Generic[_Made]):
    """The last `most` things that were made, each by all that went into it. Threads may share one; two that ask for
    the same at once may both make it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._made: OrderedDict[Hashable, _Made] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, key: Hashable, make: Callable[[], _Made]) -> _Made:
        """What was made for `key`; `make()` where that is forgotten. What it raises is not remembered."""
        with self._lock:
            if key in self._made:
                self._made.move_to_end(key)
                return self._made[key]
        made = make()
        with self._lock:
            self._made[key] = made
            while len(self._made) > self._most:
                self._made.popitem(last=False)
        return made


def key_of_content(content: IssueContent) -> bytes:
    """The same for two issues that are the same in all that is printed."""
    return _digest([content.frame.to_json(), [block.to_json() for block in content.blocks]])


def key_of_block(block: BlockContent) -> bytes:
    """The same for two sections that are the same in every field, id and version included."""
    return _digest(block.to_json())


def _digest(value: object) -> bytes:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).digest()
