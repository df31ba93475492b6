"""What was made of the last few texts: folding costs more than comparing, and one text is compared with several."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import TypeVar

Made = TypeVar("Made")

MOST_CHARACTERS = 300_000
"""Of the texts whose results are kept. The 5-grams of a Chinese text take about 130 bytes a character."""


def remember(make: Callable[[str], Made], most: int = MOST_CHARACTERS) -> Callable[[str], Made]:
    """The same function, with the results for the texts asked for last at hand, in all threads.

    Bounded by the length of the texts, not by their number: judgments of a hundred pages come in dozens.
    """
    kept: OrderedDict[str, Made] = OrderedDict()
    lock = Lock()
    held = 0

    def find(text: str) -> Made:
        nonlocal held
        with lock:
            if text in kept:
                kept.move_to_end(text)
                return kept[text]
        made = make(text)
        with lock:
            if text not in kept:
                held += len(text)
            kept[text] = made
            while held > most:
                oldest, _ = kept.popitem(last=False)
                held -= len(oldest)
        return made

    return find
