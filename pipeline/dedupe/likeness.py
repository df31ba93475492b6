"""What an item is compared with all others by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.dedupe.sketch import sketch
from pipeline.dedupe.story_keys import StoryKey, find_story_keys
from pipeline.legal.fact import Fact


@dataclass(frozen=True, slots=True)
class Likeness:
    """`sketch` of its body finds the items with the same text, `keys` those that tell of the same event."""

    sketch: tuple[int, ...]
    keys: tuple[StoryKey, ...]


def find_likeness(title: str, body: str, title_facts: Sequence[Fact], facts: Sequence[Fact]) -> Likeness:
    """The likeness of an item by its current title, body and facts."""
    return Likeness(sketch(body), find_story_keys(title, body, title_facts, facts))
