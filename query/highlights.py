"""Where a found item says what was asked for: the places in its title, and the sentence of its text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipeline.expression.conditions import Condition
from pipeline.expression.places import find_places
from pipeline.expression.subject import Subject
from pipeline.legal import Fact
from pipeline.sentence import Excerpt, Place, cut_beginning, cut_sentence

_BEFORE, _BEHIND = 60, 100  # characters of a sentence around what was found in it
_BEGINNING = 80


def highlight(condition: Condition, item: Any, facts: Iterable[Any]) -> tuple[tuple[Place, ...], Excerpt]:
    """The places in the title by which an item meets the condition, and the sentence of its text that does first, with
    its places; where the text doesn't say it, the beginning of it.

    `item` and `facts` are rows of the tables `item` and `fact`; only facts of kinds that the condition asks for matter.
    """
    by_field: dict[str, list[Fact]] = {"title": [], "body": []}
    for fact in facts:
        by_field[fact.field].append(Fact(fact.kind, fact.raw, fact.value, fact.start, fact.end, fact.method))
    places = find_places(
        condition,
        Subject(
            title=item.title,
            body=item.body,
            publishers=(),
            attachment_texts=(),
            title_facts=tuple(by_field["title"]),
            body_facts=tuple(by_field["body"]),
            source_key=item.source_key,
            topics=(),
            published_on=None,
        ),
    )
    excerpt = (
        cut_sentence(item.body, places.body, before=_BEFORE, behind=_BEHIND)
        if places.body
        else cut_beginning(item.body, _BEGINNING)
    )
    return places.title, excerpt
