"""What two alike texts have to do with each other in stories: one text, one within another, or apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.dedupe.compare import Text, compare
from pipeline.dedupe.digests import is_digest

LinkKind = Literal["same", "carries", "apart"]

_MOST_OF_IT = 0.5
_LEAST_ALIKE = 0.3
_SUBSTANTIAL = 80
"""Letters below which one text on two pages may be a formula (详见附件), unless the headlines agree too."""


@dataclass(frozen=True, slots=True)
class Link:
    """How two items hang together by their texts, whatever their order.

    - `same`: one text. Joins the two in one story
    - `carries`: `carrier`, a digest or a much longer text, has the other one in it among more. Joins nothing: else
      a digest would make one story of all that it tells
    - `apart`: alike, and a guard keeps them apart. Neither may come into the other's story by a text of both

    `coverage` is the share of the longer text that both have; `reason` one sentence with the evidence.
    """

    kind: LinkKind
    coverage: float
    carrier: Text | None
    reason: str


def find_link(a: Text, b: Text) -> Link | None:
    """Compare the texts of two items; None where they have nothing to do with each other."""
    comparison = compare(a, b)
    shared = comparison.shared
    if shared is None:
        return None
    coverage = round(shared.coverage, 3)
    if comparison.verdict == "different":
        return Link("apart", coverage, None, comparison.reason) if coverage >= _LEAST_ALIKE else None
    if shared.letters < _SUBSTANTIAL and not shared.titles_agree:
        return None
    longer, shorter = (a, b) if shared.longer is a else (b, a)
    within_digest = is_digest(longer.title, longer.body) and not is_digest(shorter.title, shorter.body)
    if within_digest or (coverage < _MOST_OF_IT and not shared.from_start):
        return Link("carries", coverage, longer, comparison.reason)
    return Link("same", coverage, None, comparison.reason)
