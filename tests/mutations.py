"""What may befall a page between two visits, as pure functions of the page and a seed.

HARMLESS mutations leave what a person sees as it is; HARMFUL ones don't. A mutation that doesn't apply to a page
(no list in an article, no markup in JSON), or leaves it as it is, gives None.
"""

from __future__ import annotations

from random import Random

from crawlers.page import Page
from tests.harmful_mutations import HARMFUL
from tests.harmless_mutations import HARMLESS
from tests.mutation_subjects import Subject

__all__ = ["HARMFUL", "HARMLESS", "mutate"]


def mutate(subject: Subject, name: str, seed: int) -> Page | None:
    """The page after one mutation; the same page for the same seed."""
    mutated = {**HARMLESS, **HARMFUL}[name](subject, Random(f"{subject.name} {name} {seed}"))
    return None if mutated is None or mutated.body == subject.page.body else mutated
