"""An expression as a person wrote it, taken apart: what stands where, and nothing of what it means.

`start` and `end` count characters of the expression.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Term:
    """A word or a phrase. `exact` where it was in quotes: then it is looked for as it is written."""

    text: str
    exact: bool
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Filter:
    """A field with what it must be: `operator` is `:` or a comparison, `value` as written, at `value_start`."""

    field: str
    operator: str
    value: str
    quoted: bool
    start: int
    end: int
    value_start: int


@dataclass(frozen=True, slots=True)
class Not:
    """What must not be so."""

    part: Node
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class And:
    """All of these; at least two."""

    parts: tuple[Node, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Or:
    """One of these; at least two."""

    parts: tuple[Node, ...]
    start: int
    end: int


Node = Term | Filter | Not | And | Or
