"""What a condition is held against in memory: an item's texts, facts and origin, as the database has them too."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from pipeline.legal import Fact
from pipeline.legal.fact_key import FactKey, fact_key
from pipeline.record import Record
from pipeline.store.dating import published_columns
from pipeline.store.tokens import Phrase, write_tokens


@dataclass(frozen=True)
class Subject:
    """An item, as far as expressions ask about it. `publishers` are its names, as printed and as configured.

    `published_on` is the day in China, None where unknown. Facts are those of title and body.
    """

    title: str
    body: str
    publishers: tuple[str, ...]
    attachment_texts: tuple[str, ...]
    title_facts: tuple[Fact, ...]
    body_facts: tuple[Fact, ...]
    source_key: str
    topics: tuple[str, ...]
    published_on: date | None

    @classmethod
    def of(cls, record: Record) -> Subject:
        """The subject that a record is."""
        dating = record.dating
        published = published_columns(dating.best, dating.place)["published_on"] if dating else None
        return cls(
            title=record.title,
            body=record.body,
            publishers=(record.publisher, record.context.publisher_zh, record.context.publisher_en),
            attachment_texts=record.notice.attachment_texts,
            title_facts=record.title_facts,
            body_facts=record.facts,
            source_key=record.context.source_key,
            topics=record.context.topics,
            published_on=published,
        )

    @cached_property
    def sequence(self) -> str:
        """The tokens of title, publisher, body and attachments, as the search index has them, a space around each."""
        texts = (self.title, self.publishers[0], self.body, *self.attachment_texts)
        return f" {write_tokens(chr(10).join(texts))} "

    @cached_property
    def keyed_facts(self) -> dict[str, list[tuple[Fact, FactKey]]]:
        """All facts by their kind, each with what it is found by: many rules ask for the same ones."""
        keyed: dict[str, list[tuple[Fact, FactKey]]] = {}
        for fact in self.facts:
            keyed.setdefault(fact.kind, []).append((fact, fact_key(fact.kind, fact.value)))
        return keyed

    @property
    def facts(self) -> tuple[Fact, ...]:
        """All facts, the title's first."""
        return self.title_facts + self.body_facts


def patterns_of(phrases: Iterable[Phrase]) -> tuple[str, ...]:
    """What one of the phrases is found by in a `Subject.sequence`."""
    return tuple(phrase.pattern for phrase in phrases)
