"""Rules: who wants to be told of which notices."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cached_property
from itertools import chain
from typing import Annotated, Protocol

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from errors import ConfigurationError
from pipeline.alerts.events import EVENTS, kind_of
from pipeline.alerts.timing import Timing
from pipeline.alerts.wording import Language
from pipeline.expression import read_query
from pipeline.expression.conditions import Condition, FromSources, OnTopics, leaves, named_sources
from pipeline.expression.matcher import Matcher
from pipeline.expression.places import find_patterns, find_places, show_places, word_pattern
from pipeline.expression.subject import Subject
from pipeline.legal import Fact
from pipeline.legal.asked import AskedCase, AskedCourt, read_asked_case, read_asked_court
from pipeline.legal.fact_key import MOST_MONEY, fact_key, squash
from pipeline.legal.ip_types import IP_TYPES
from pipeline.normalize import fold
from pipeline.record import Record
from pipeline.sentence import Excerpt
from pipeline.store.outbox_rows import Match

OPERATORS = "operators"
"""Under this name stand the alerts about the monitor itself; no rule may have it."""


class Recipient(Timing):
    """Where an alert goes: a configured channel, an address on it where the channel has several, the language of
    its labels where it isn't the channel's, and when."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    channel: Annotated[str, Field(min_length=1, max_length=100)]
    to: Annotated[str, Field(max_length=400)] = ""
    language: Language | None = None


class Escalation(Recipient):
    """Who is told of an alert that nobody has acknowledged `after` so many minutes."""

    after: Annotated[int, Field(ge=1, le=100_000)]

    @field_validator("digest")
    @classmethod
    def _at_once(cls, digest: str) -> str:
        if digest:
            raise ValueError("what was escalated is not collected for a digest")
        return digest


class Telling(BaseModel):
    """Who is told of which events, and when alerts are many or nobody answers.

    `events` are `new` (once a story), `edited`, `joined`: another report of a story that is known already, and
    `withdrawn`: the page is gone from its site. `earlier` asks for what was stored before the rule was first configured
    too. `escalate` says who is told of an alert that nobody has acknowledged in time. More than `storm` alerts to one
    recipient within `storm_minutes` go in one message; 0 lets any number go.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    events: Annotated[tuple[str, ...], Field(min_length=1)] = ("new", "withdrawn")
    earlier: bool = False
    send: Annotated[tuple[Recipient, ...], Field(min_length=1)]
    escalate: Escalation | None = None
    storm: Annotated[int, Field(ge=0, le=10_000)] = 20
    storm_minutes: Annotated[int, Field(ge=1, le=10_000)] = 10

    @model_validator(mode="after")
    def _once_each(self) -> Telling:
        known: dict[tuple[str, str], Recipient] = {}
        for one in self.send:
            if known.setdefault((one.channel, one.to), one) != one:
                raise ValueError(
                    f"send: names one recipient on channel {one.channel!r} twice, with different keys; write it once"
                )
        return self

    @model_validator(mode="after")
    def _somebody_else(self) -> Telling:
        second = self.escalate
        if second and any((one.channel, one.to) == (second.channel, second.to) for one in self.send):
            raise ValueError("escalate: names one of the recipients in send; it must be another one")
        return self


class Rule(Telling):
    """A notice matches when it meets `query` (docs/query-language.md), has one of the words, comes from one of the
    sources and has one of the topics; what is empty asks for nothing. `words` are compared folded (case, full width)
    and otherwise as written, Latin ones whole; they are looked for in title, body and the texts of attachments.

    The facts of title and body can be asked for too: one of the kinds of right, one of the case numbers and one of
    the courts (in any written form), and one sum of at least `amount_min` in `currency` (ISO 4217).
    """

    name: Annotated[str, Field(min_length=1, max_length=200)]
    query: str = ""
    words: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    sources: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    ip_types: tuple[str, ...] = ()
    case_numbers: tuple[str, ...] = ()
    courts: tuple[str, ...] = ()
    amount_min: Annotated[Decimal, Field(ge=0, lt=MOST_MONEY)] | None = None
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "CNY"

    @property
    def group(self) -> str:
        """The name under which its alerts are counted: many at once go in one message with those of the group."""
        return self.name

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what the rule asks for and who is told: it changes when they do."""
        return hashlib.sha256(self.model_dump_json(exclude_defaults=True).encode()).hexdigest()

    @field_validator("query")
    @classmethod
    def _readable_query(cls, query: str) -> str:
        if query:
            read_query(query)
        return query

    @field_validator("words")
    @classmethod
    def _something_to_find(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        if blank := [word for word in words if not fold(word)]:
            raise ValueError(f"{blank[0]!r} has nothing to search for")
        return words

    @field_validator("ip_types")
    @classmethod
    def _known_rights(cls, ip_types: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [ip_type for ip_type in ip_types if ip_type not in IP_TYPES]:
            raise ValueError(f"{unknown[0]!r} is no kind of right; there are {', '.join(IP_TYPES)}")
        return ip_types

    @field_validator("case_numbers")
    @classmethod
    def _readable_cases(cls, case_numbers: tuple[str, ...]) -> tuple[str, ...]:
        for text in case_numbers:
            read_asked_case(text)
        return case_numbers

    @field_validator("courts")
    @classmethod
    def _readable_courts(cls, courts: tuple[str, ...]) -> tuple[str, ...]:
        for text in courts:
            read_asked_court(text)
        return courts

    @cached_property
    def condition(self) -> Condition | None:
        """What the query asks for; None without one."""
        return read_query(self.query).condition if self.query else None

    @property
    def names_sources(self) -> bool:
        """True when the rule asks for a source or a topic."""
        asked = leaves(self.condition) if self.condition else ()
        return bool(
            self.sources or self.topics or any(isinstance(leaf, FromSources | OnTopics) for leaf in asked)
        )

    @cached_property
    def _asked(self) -> tuple[tuple[AskedCase | AskedCourt, ...], ...]:
        cases = tuple(map(read_asked_case, self.case_numbers))
        courts = tuple(map(read_asked_court, self.courts))
        return tuple(asked for asked in (cases, courts) if asked)

    @cached_property
    def _patterns(self) -> tuple[re.Pattern[str], ...]:
        return tuple(word_pattern(fold(word)) for word in self.words)

    def wants(self, subject: Subject, folded: str, event: str) -> bool:
        """True when an item, whose folded texts are given, has what the lists of this rule ask for on this event."""
        if kind_of(event) not in self.events:
            return False
        if self.sources and subject.source_key not in self.sources:
            return False
        if self.topics and not set(self.topics) & set(subject.topics):
            return False
        if self.words and not any(pattern.search(folded) for pattern in self._patterns):
            return False
        return self._finds_facts(subject.facts)

    def show_match(self, subject: Subject) -> Excerpt:
        """The sentence by which an item meets the query, else that which holds one of the words; empty without both."""
        if self.condition:
            return show_places(find_places(self.condition, subject), subject)
        return show_places(find_patterns(self._patterns, subject.title, subject.body), subject)

    def _finds_facts(self, facts: tuple[Fact, ...]) -> bool:
        if self.ip_types and not any(fact.value.get("ip_type") in self.ip_types for fact in facts):
            return False
        for group in self._asked:
            if not any(asked.is_answered_by(facts) for asked in group):
                return False
        return self.amount_min is None or any(self._reaches(fact, self.amount_min) for fact in facts)

    def _reaches(self, fact: Fact, least: Decimal) -> bool:
        if fact.kind != "amount":
            return False
        key = fact_key(fact.kind, fact.value)
        return key.amount is not None and key.amount >= least and key.key == squash(self.currency)


class Rules:
    """All rules of an installation, as the matcher that the write transaction asks."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = tuple(rules)
        conditions = [(place, rule.condition) for place, rule in enumerate(self._rules)]
        self._queried = [place for place, condition in conditions if condition is not None]
        self._plain = [place for place, condition in conditions if condition is None]
        self._matcher = Matcher([condition for _, condition in conditions if condition is not None])

    def naming_sources(self) -> Rules | None:
        """Those rules alone that ask for a source or a topic; None when no rule does."""
        naming = [rule for rule in self._rules if rule.names_sources]
        return Rules(naming) if naming else None

    def find(self, subject: Subject, event: str) -> list[Rule]:
        """The rules that want an item on this event, in their order."""
        met = [self._queried[found] for found in self._matcher.find(subject)] if self._queried else []
        places = sorted(met + self._plain)
        if not places:
            return []
        folded = fold("\n".join((subject.title, subject.body, *subject.attachment_texts)))
        return [rule for place in places if (rule := self._rules[place]).wants(subject, folded, event)]

    def names_for(self, event: str) -> frozenset[str]:
        """The names of the rules that ask for this kind of event."""
        return frozenset(rule.name for rule in self._rules if kind_of(event) in rule.events)

    def __call__(self, record: Record, event: str) -> Iterable[Match]:
        if not self._rules:
            return []
        subject = Subject.of(record)
        matches = (
            Match(rule.name, recipient.channel, recipient.to, matched, rule.earlier)
            for rule in self.find(subject, event)
            for matched in (rule.show_match(subject),)
            for recipient in rule.send
        )
        return list(dict.fromkeys(matches))


class Watched(Protocol):
    """A source, as far as rules refer to it."""

    @property
    def topics(self) -> tuple[str, ...]: ...


def check_rules(
    rules: Iterable[Rule], channels: Mapping[str, str], sources: Mapping[str, Watched], place: str
) -> None:
    """Refuse rules that could never work; `channels` says of which kind each is.

    Raises ConfigurationError naming the file and the rule.
    """
    names: set[str] = set()
    for rule in rules:
        if rule.name == OPERATORS:
            raise ConfigurationError(
                f"{place}: a rule can't be called {OPERATORS!r}: so are the alerts about the monitor itself."
            )
        if rule.name in names:
            raise ConfigurationError(f"{place}: two rules are called {rule.name!r}; names must differ.")
        names.add(rule.name)
        asked = (*rule.sources, *sorted(named_sources(rule.condition) if rule.condition else ()))
        if unknown := [key for key in asked if key not in sources]:
            raise ConfigurationError(f"{place}: rule {rule.name!r}: no source is called {unknown[0]!r}.")
        watched = [sources[key] for key in rule.sources] or list(sources.values())
        topics = {topic for source in watched for topic in source.topics}
        named = (
            (leaf.topics for leaf in leaves(rule.condition) if isinstance(leaf, OnTopics))
            if rule.condition
            else ()
        )
        if missing := [topic for topic in (*rule.topics, *chain.from_iterable(named)) if topic not in topics]:
            raise ConfigurationError(
                f"{place}: rule {rule.name!r}: none of its sources has the topic {missing[0]!r}; "
                f"there are {', '.join(sorted(topics)) or 'none'}."
            )
        if wrong := [event for event in rule.events if event not in EVENTS]:
            raise ConfigurationError(
                f"{place}: rule {rule.name!r}: {wrong[0]!r} is no event; use {', '.join(EVENTS)}."
            )
        check_recipients(rule.send, channels, f"{place}: rule {rule.name!r}")
        if rule.escalate is not None:
            check_recipients([rule.escalate], channels, f"{place}: rule {rule.name!r}: escalate")


def check_recipients(recipients: Iterable[Recipient], channels: Mapping[str, str], place: str) -> None:
    """Refuse who can't be reached; `channels` says of which kind each is. Raises ConfigurationError."""
    # Each way to people brings libraries of its own, which those who only match rules needn't wait for.
    from pipeline.alerts.channels import check_recipient, has_language

    recipients = tuple(recipients)
    read_languages(recipients, place)
    for recipient in recipients:
        if recipient.channel not in channels:
            known = ", ".join(sorted(channels)) or "none"
            raise ConfigurationError(
                f"{place}: no channel is called {recipient.channel!r}; there are {known}."
            )
        kind = channels[recipient.channel]
        if recipient.language and not has_language(kind):
            raise ConfigurationError(
                f"{place}: language: a channel of the kind {kind} writes no text in a language; leave it out."
            )
        try:
            check_recipient(kind, recipient.to)
        except ValueError as error:
            raise ConfigurationError(
                f"{place}: the recipient (to) on channel {recipient.channel!r} {error}."
            ) from None


def check_told_at_once(recipients: Iterable[Recipient], place: str) -> None:
    """Refuse hours and digests for those who are told of the monitor itself. Raises ConfigurationError."""
    for recipient in recipients:
        if keys := recipient.model_fields_set & set(Timing.model_fields):
            raise ConfigurationError(
                f"{place}: {min(keys)}: what goes wrong with the monitor is told at once; leave it out."
            )


def read_languages(recipients: Iterable[Recipient], place: str) -> dict[tuple[str, str], Language]:
    """The languages of recipients that have one of their own, by channel and address.

    Raises ConfigurationError for a recipient with two.
    """
    languages: dict[tuple[str, str], Language] = {}
    for recipient in recipients:
        if recipient.language is None:
            continue
        who = (recipient.channel, recipient.to)
        if languages.setdefault(who, recipient.language) != recipient.language:
            raise ConfigurationError(
                f"{place}: language: one recipient on channel {recipient.channel!r} has two languages; write one."
            )
    return languages
