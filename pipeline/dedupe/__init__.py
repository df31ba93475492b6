"""Known, edited, carried elsewhere, or another thing: the comparison of two texts, without a database.

`sketch` finds candidates: texts that share `SHARED_FOR_CANDIDATE` of their sketches' values. `compare` decides
for one pair, by containment of character 5-grams and an alignment, and lets guards object: two texts that
differ in a number, a name, a place, a kind of right or an outcome where they otherwise agree are two things,
however alike they read. Titles can keep two texts apart; they never bring them together.
"""

from __future__ import annotations

from pipeline.dedupe.compare import Comparison, Text, Verdict, compare, is_edit
from pipeline.dedupe.sketch import SHARED_FOR_CANDIDATE, SKETCH_SIZE, sketch

__all__ = [
    "SHARED_FOR_CANDIDATE",
    "SKETCH_SIZE",
    "Comparison",
    "Text",
    "Verdict",
    "compare",
    "is_edit",
    "sketch",
]
