"""Watchlists: tables of clients, marks, patents and matters, each row of which is watched like a rule.

A row is told under the name of its list and its own, with the matter's reference, so that whoever gets the alert knows
whose it is.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from errors import ConfigurationError
from pipeline.alerts.rules import Recipient, Rule
from pipeline.expression import read_query
from pipeline.expression.conditions import All, Condition, HasFact, OneOf, Words
from pipeline.expression.fields import FIELDS
from pipeline.expression.widening import scripts
from pipeline.store.tokens import read_phrase

KINDS = ("client", "mark", "patent", "matter")
COLUMNS = ("name", "aliases", "kind", "reference")
MOST_ROWS = 20_000
_LEAST_LETTERS = 2
_ALIASES = re.compile(r"[;；|]")
_FACTS = {"patent": "patent", "matter": "case"}


class Watchlist(BaseModel):
    """A table of names and who is told of them. `query`, if any, must be met beside one of the names.

    `file` is a CSV file in UTF-8 with a header; its columns are `name`, `aliases` (with semicolons between them),
    `kind` (client, mark, patent, matter) and `reference`. Only `name` is needed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    name: Annotated[str, Field(min_length=1, max_length=60)]
    file: Path
    query: str = ""
    events: Annotated[tuple[str, ...], Field(min_length=1)] = ("new",)
    send: Annotated[tuple[Recipient, ...], Field(min_length=1)]

    @field_validator("query")
    @classmethod
    def _readable_query(cls, query: str) -> str:
        if query:
            read_query(query)
        return query


class WatchedName(Rule):
    """The rule that a row of a watchlist is: one of its names stands in the text, in either script, or a fact is it."""

    names: Annotated[tuple[str, ...], Field(min_length=1)]
    kind: str = ""

    @cached_property
    def condition(self) -> Condition:
        """One of the names, and the list's query if it has one."""
        phrases = {
            phrase: form
            for name in self.names
            for form in scripts(name)
            if (phrase := read_phrase(form)) is not None
        }
        named: list[Condition] = [Words(tuple(phrases), tuple(phrases.values()))]
        if field := _FACTS.get(self.kind):
            named += [fact for name in self.names if (fact := _read_fact(field, name)) is not None]
        asked = super().condition
        return All((OneOf(tuple(named)), asked)) if asked else OneOf(tuple(named))


def _read_fact(field: str, name: str) -> HasFact | None:
    """The fact that a name is, where it is a number that can be read."""
    try:
        condition = FIELDS[field].read(name, ":")
    except ValueError:
        return None
    return condition if isinstance(condition, HasFact) else None


def read_watchlist(watchlist: Watchlist) -> tuple[WatchedName, ...]:
    """The rules of a watchlist's rows. Raises ConfigurationError naming the file, the row and the column."""
    rules: dict[str, WatchedName] = {}
    for number, row in _read_rows(watchlist.file):
        names = _read_names(row, f"{watchlist.file}: row {number}")
        reference = row.get("reference", "")
        title = f"{watchlist.name}: {names[0]}" + (f" ({reference})" if reference else "")
        if len(title) > 200:
            raise ConfigurationError(
                f"{watchlist.file}: row {number}, columns name and reference: are too long together; 130 characters "
                "are enough."
            )
        if title in rules:
            raise ConfigurationError(
                f"{watchlist.file}: row {number}, column name: {names[0]!r} stands there twice with the same reference."
            )
        rules[title] = WatchedName(
            name=title,
            names=names,
            kind=row.get("kind", ""),
            query=watchlist.query,
            events=watchlist.events,
            send=watchlist.send,
        )
    if not rules:
        raise ConfigurationError(f"{watchlist.file}: has no row below its header.")
    return tuple(rules.values())


def _read_rows(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    if file.suffix.lower() != ".csv":
        raise ConfigurationError(f"{file}: is no CSV file; save the table as “CSV UTF-8”.")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigurationError(f"{file}: can't be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{file}: is not in UTF-8; save the table as “CSV UTF-8”.") from None
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    try:
        header = [column.strip().lower() for column in next(reader, [])]
        _check_header(header, file)
        for row in reader:
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            if len(cells) != len(header):
                raise ConfigurationError(
                    f"{file}: row {reader.line_num}: has {len(cells)} cells, its header {len(header)}."
                )
            if reader.line_num > MOST_ROWS:
                raise ConfigurationError(
                    f"{file}: row {reader.line_num}: a watchlist may have {MOST_ROWS} rows."
                )
            yield reader.line_num, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise ConfigurationError(f"{file}: row {reader.line_num}: can't be read ({error}).") from None


def _check_header(header: list[str], file: Path) -> None:
    if "name" not in header:
        raise ConfigurationError(
            f"{file}: row 1: a column “name” is missing; the columns are {', '.join(COLUMNS)}."
        )
    for place, column in enumerate(header):
        if column not in COLUMNS:
            raise ConfigurationError(
                f"{file}: row 1, column {place + 1}: {column!r} is no column of a watchlist; there are "
                f"{', '.join(COLUMNS)}."
            )
        if column in header[:place]:
            raise ConfigurationError(f"{file}: row 1, column {place + 1}: {column!r} stands there twice.")


def _read_names(row: dict[str, str], place: str) -> tuple[str, ...]:
    kind = row.get("kind", "")
    if kind and kind not in KINDS:
        raise ConfigurationError(f"{place}, column kind: {kind!r} is none; there are {', '.join(KINDS)}.")
    aliases = [alias.strip() for alias in _ALIASES.split(row.get("aliases", "")) if alias.strip()]
    for column, name in (("name", row["name"]), *(("aliases", alias) for alias in aliases)):
        if sum(character.isalnum() for character in name) < _LEAST_LETTERS:
            raise ConfigurationError(
                f"{place}, column {column}: {name!r} is too short to be told apart; {_LEAST_LETTERS} letters or digits "
                "are needed."
            )
    return (row["name"], *dict.fromkeys(aliases))
