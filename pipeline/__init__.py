"""From a Notice to a stored, alerted record. STEPS is the one statement of the order.

Steps are plain functions and know nothing of Scrapy. `pipeline.batch` takes notices through all of them, and
`crawlers.steps` wraps that for ITEM_PIPELINES. The last one, `store`, decides inside its transaction what is known,
edited or new, and which story it belongs to (`pipeline.store.write`); `dedupe` prepares what that is decided by.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from pipeline.dates import choose
from pipeline.dedupe.likeness import find_likeness
from pipeline.legal import find_facts
from pipeline.normalize import normalize
from pipeline.record import Context, Record
from pipeline.topics import Lexicon, find_topics

if TYPE_CHECKING:
    from crawlers.notice import Notice


def add_dates(record: Record) -> Record:
    """Choose the published date among what the page printed, in the reader's order of trust."""
    return replace(record, dating=choose(record.notice.dates, record.notice.fetched_at))


def add_facts(record: Record) -> Record:
    """Find the legal facts of title and body; spans count characters of the one they stand in."""
    return replace(record, title_facts=tuple(find_facts(record.title)), facts=tuple(find_facts(record.body)))


def add_topics(record: Record, lexicon: Lexicon | None = None) -> Record:
    """Judge whether the notice concerns intellectual property, by the built-in lexicon or the operator's.

    Where title and body don't, each attachment's text is judged in the body's place; the first that does decides.
    """
    verdict = find_topics(record.title, record.body, lexicon)
    for text in record.notice.attachment_texts:
        if verdict.concerns_ip:
            break
        attached = find_topics(record.title, text, lexicon)
        if attached.concerns_ip:
            # The matches of the verdict count characters of title and body, not of a file.
            verdict = replace(verdict, concerns_ip=True, reason=f"In an attachment: {attached.reason}")
    return replace(record, topics=verdict)


def add_likeness(record: Record) -> Record:
    """Take from text and facts what the record is compared with all others by."""
    likeness = find_likeness(record.title, record.body, record.title_facts, record.facts)
    return replace(record, likeness=likeness)


ENRICHING: dict[str, Callable[[Record], Record]] = {
    "dates": add_dates,
    "legal": add_facts,
    "topics": add_topics,
    "dedupe": add_likeness,
}
STEPS: tuple[str, ...] = ("normalize", *ENRICHING, "store")


def interpret(notice: Notice, context: Context, lexicon: Lexicon | None = None) -> Record:
    """All steps that need no database, in order: what a crawl, a reparse and `inspect` have in common.

    `lexicon` is the operator's, by which topics are judged in place of the built-in one. Raises ValueError for a
    notice without a title.
    """
    record = normalize(notice, context)
    for enrich in (ENRICHING | {"topics": partial(add_topics, lexicon=lexicon)}).values():
        record = enrich(record)
    return record
