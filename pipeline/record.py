"""One notice, interpreted: typed, dated, with its legal facts, and with the raw values beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.dates import Dating
from pipeline.legal import Fact
from pipeline.topics import TopicVerdict

if TYPE_CHECKING:
    from crawlers.notice import Notice
    from pipeline.dedupe.likeness import Likeness


@dataclass(frozen=True, slots=True)
class Context:
    """Which source a notice was found for, in which run, and how its page was answered.

    `baseline` is true for what the source already showed when it was first read: stored without alerts.
    `only_ip` is true for a source of which only what concerns intellectual property is kept.
    `status` and `headers` (lower-case names) are those of the page; they go with the bytes as evidence. `own_page` is
    false for an article that a list brought whole. `recheck` is true for one that was asked for again as planned.
    """

    source_key: str
    publisher_zh: str
    publisher_en: str
    topics: tuple[str, ...]
    run_id: int
    baseline: bool
    status: int
    headers: Mapping[str, str]
    only_ip: bool = False
    own_page: bool = True
    recheck: bool = False


@dataclass(frozen=True, slots=True)
class Sighting:
    """A notice in its context: what a spider yields and the first step takes.

    `page` is the bytes of its own page, to be archived before any row refers to them; None where they have been.
    """

    notice: Notice
    context: Context
    page: bytes | None


@dataclass(frozen=True, slots=True)
class Record:
    """What the interpreting steps make of a Notice; no step changes one, each returns a new one.

    `identity` comes from raw values only; `addresses` are the keys under which the same article may be met
    again. `content_sha256` is over title and body as printed. `dating` is None until the step `dates` ran;
    its `best` is None when no date of the page could be read. `likeness` is None until the step `dedupe` ran.
    """

    notice: Notice
    context: Context
    identity: str
    addresses: tuple[str, ...]
    title: str
    publisher: str
    body: str
    content_sha256: str
    dating: Dating | None = None
    facts: tuple[Fact, ...] = ()
    title_facts: tuple[Fact, ...] = ()
    topics: TopicVerdict | None = None
    likeness: Likeness | None = None

    @property
    def is_filtered(self) -> bool:
        """True for what its source is not watched for: kept as a short row only."""
        return self.context.only_ip and self.topics is not None and not self.topics.concerns_ip

    def __post_init__(self) -> None:
        if not self.title:
            raise ValueError(f"a record needs a title: {self.notice.url}")
        if not self.identity or self.identity not in self.addresses:
            raise ValueError(f"a record's identity must be one of its addresses: {self.notice.url}")
