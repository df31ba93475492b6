"""A few numbers that stand for a text, by which a database finds its near-duplicates.

Bottom-k sketch (A. Broder, "On the resemblance and containment of documents", 1997): the smallest hashes of a
text's 5-grams. Unlike MinHash bands it keeps finding a text that was cut to a third or set inside another.
"""

from __future__ import annotations

from hashlib import blake2b
from heapq import nsmallest
from struct import Struct
from zlib import crc32

from pipeline.dedupe.folding import fold_letters

SKETCH_SIZE = 16
SHARED_FOR_CANDIDATE = 2
"""Two texts are candidates when their sketches share at least this many values."""

GRAM = 5
_WIDTH = 2 * GRAM  # bytes of a gram in UTF-16
_GRAM = Struct(f"{_WIDTH}s")
_SORTED = 4 * SKETCH_SIZE  # hashes that are to be expected below the bound
LEAST_LETTERS = 20
"""A text with fewer letters has no sketch: five-grams of a closing formula would make candidates of everything."""


def sketch(text: str) -> tuple[int, ...]:
    """The `SKETCH_SIZE` smallest of the text's 5-gram hashes, ascending; empty for a text that is too short.

    The hashes are signed 64-bit integers (SQL BIGINT) and the same on every machine: CRC-32 in the upper half,
    because it orders all grams and must be cheap, BLAKE2b in the lower half, only for the grams that stay.
    """
    letters = fold_letters(text)
    if len(letters) < LEAST_LETTERS:
        return ()
    data = letters.encode("utf-16-le")
    # Nearly always the smallest are among those below a bound that few are below: only these are sorted.
    order = _order(data, (_SORTED << 32) // ((len(data) - _WIDTH) // 2 + 1))
    if len(order) < SKETCH_SIZE:
        order = _order(data, 1 << 32)
    return tuple(
        sorted((high << 32) + _low_half(order[high]) - 2**63 for high in nsmallest(SKETCH_SIZE, order))
    )


def _order(data: bytes, bound: int) -> dict[int, bytes]:
    """The grams whose hashes are below the bound, by their hashes; of two with one hash the one that stands later."""
    # Every fifth gram begins where the one before ends: so all are taken apart faster than each is cut out.
    found = {
        (high, gram)
        for shift in range(0, _WIDTH, 2)
        for (gram,) in _GRAM.iter_unpack(data[shift : len(data) - (len(data) - shift) % _WIDTH])
        if (high := crc32(gram)) < bound
    }
    order = dict(found)
    if len(order) < len(found):
        grams = (data[start : start + _WIDTH] for start in range(0, len(data) - _WIDTH + 1, 2))
        order = {high: gram for gram in grams if (high := crc32(gram)) < bound}
    return order


def find_grams(letters: str) -> set[str]:
    """The distinct 5-grams of folded letters."""
    return {letters[start : start + GRAM] for start in range(len(letters) - GRAM + 1)}


def _low_half(gram: bytes) -> int:
    return int.from_bytes(blake2b(gram, digest_size=4).digest(), "big")
