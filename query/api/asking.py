"""What can be asked for: the filters of a search, as `iprwatch search` has them, and pages of answers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from sqlalchemy import ColumnElement

from pipeline.expression import ExpressionError, Query, read_query
from pipeline.expression.conditions import named_sources
from pipeline.legal.asked import AskedError, read_asked_amount
from pipeline.normalize import make_storable
from pipeline.store.saved_searches import NoSuchSearch, read_search
from query.api.cursors import MOST_LENGTH, read_cursor
from query.api.served import Served
from query.conditions import check_topics
from query.errors import QueryError
from query.fact_filters import CURRENCY, FactFilter
from query.saved import join_expressions
from query.search import Found, find_conditions, search_items

_MOST_VALUES = 20
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def check_storable(text: str) -> str:
    """The text itself. Raises ValueError for one that no database can hold."""
    if make_storable(text) != text:
        raise ValueError("a NUL or half of a surrogate pair is no text")
    return text


def _written_as_a_day(given: object) -> object:
    # Left alone, the date's own reader takes a bare number for seconds since 1970.
    if isinstance(given, str) and not _DAY.fullmatch(given):
        raise ValueError("a day is written as 2026-11-20")
    return given


Day = Annotated[date, BeforeValidator(_written_as_a_day)]
Text = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(check_storable)]
Many = Annotated[tuple[Text, ...], Field(max_length=_MOST_VALUES)]
Limit = Annotated[int, Field(ge=1, le=200, description="At most so many.")]
Cursor = Annotated[
    Annotated[str, Field(min_length=1, max_length=MOST_LENGTH)] | None,
    Field(description="`next` of the page before, asked with the same filters."),
]
Uid = Annotated[str, Field(pattern="^[0-9a-f]{32}$", description="The item's id.")]


class Question(BaseModel):
    """What a request may ask in its query; a misspelt name is refused and not passed over."""

    model_config = ConfigDict(extra="forbid")

    def cursor_key(self) -> str:
        """What a cursor is bound to: the question without how much of the answer is wanted."""
        return type(self).__name__ + self.model_dump_json(exclude={"limit", "cursor"})


class Search(Question):
    """The filters of a search. Of several values of one filter one is enough; all filters must be met."""

    q: Annotated[
        Annotated[str, Field(max_length=500), AfterValidator(check_storable)],
        Field(description="Words in Chinese or English, or an expression of the query language."),
    ] = ""
    source: Annotated[Many, Field(description="Only these sources, by key.")] = ()
    since: Annotated[Day | None, Field(description="Published on this day or later, in China.")] = None
    until: Annotated[Day | None, Field(description="Published on this day or earlier.")] = None
    case_no: Annotated[Many, Field(description="With one of these case numbers, in any written form.")] = ()
    court: Annotated[Many, Field(description="Naming one of these courts, or with a case number of it.")] = ()
    amount_min: Annotated[
        Text | None, Field(description="With a sum of at least so much: 350000, or 35万.")
    ] = None
    amount_max: Annotated[Text | None, Field(description="With a sum of at most so much.")] = None
    currency: Annotated[Text, Field(description="The currency of these sums, ISO 4217.")] = CURRENCY
    ip_type: Annotated[Many, Field(description="About one of these kinds of right.")] = ()
    statute: Annotated[Many, Field(description="Citing one of these laws, such as 专利法第六十五条.")] = ()
    party: Annotated[Many, Field(description="With a party whose name holds this.")] = ()
    doc_no: Annotated[Many, Field(description="With one of these document numbers.")] = ()
    kind: Annotated[Many, Field(description="Of these kinds of notice.")] = ()
    withdrawn: Annotated[bool, Field(description="Only items that are gone from their site.")] = False
    saved: Annotated[
        Text | None,
        Field(description="What the saved search of this name finds: /api/v1/searches lists them."),
    ] = None

    def query(self, served: Served) -> Query | None:
        """What `q` and `saved` mean. Raises QueryError with the place where `q` can't be read."""
        asked = []
        try:
            if self.q.strip():
                asked.append(read_query(self.q).text)
        except ExpressionError as error:
            reason = error.reason.rstrip(".?!")
            raise QueryError(f"q, character {error.position + 1}: {reason}.") from None
        try:
            if self.saved is not None:
                asked.append(read_search(served.engine, self.saved)["expression"])
        except NoSuchSearch:
            raise QueryError(
                f"saved: no search is saved as {self.saved!r}; /api/v1/searches lists them."
            ) from None
        return read_query(join_expressions(*asked)) if asked else None

    def conditions(self, served: Served) -> list[ColumnElement[bool]]:
        """As conditions on the table `item`. Raises QueryError for what can't be meant."""
        return find_conditions(served.engine.dialect.name, **self._filters(served))

    def find(
        self, served: Served, *, order: str = "newest", after: tuple[int, int] | None = None, limit: int
    ) -> Found:
        """The items. Raises QueryError for what can't be meant."""
        return search_items(served.engine, order=order, after=after, limit=limit, **self._filters(served))

    def _filters(self, served: Served) -> dict[str, Any]:
        query = self.query(served)
        check_sources(served, self.source)
        if query:
            check_sources(served, named_sources(query.condition))
            topics = {topic for source in served.sources.values() for topic in source["topics"]}
            check_topics(query.condition, topics)
        return {
            "query": query,
            "sources": self.source,
            "since": self.since,
            "until": self.until,
            "withdrawn": self.withdrawn,
            "facts": FactFilter(
                case_numbers=self.case_no,
                courts=self.court,
                ip_types=self.ip_type,
                statutes=self.statute,
                parties=self.party,
                documents=self.doc_no,
                kinds=self.kind,
                amount_min=_amount(self.amount_min),
                amount_max=_amount(self.amount_max),
                currency=self.currency,
            ),
        }


def check_sources(served: Served, keys: Iterable[str]) -> None:
    """Raise QueryError where one of the keys is no configured source's."""
    if unknown := [key for key in keys if key not in served.sources]:
        raise QueryError(f"No source is called {unknown[0]!r}; /api/v1/sources lists them.")


def place_in(question: Question, cursor: str | None, *shape: type[int] | type[str]) -> Any:
    """Where the page before ended, None for the first page. Raises QueryError for a cursor of something else."""
    return None if cursor is None else read_cursor(question.cursor_key(), cursor, shape)


def _amount(written: str | None) -> Decimal | None:
    try:
        return None if written is None else read_asked_amount(written)
    except AskedError as error:
        raise QueryError(str(error)) from None
