"""From the text of an expression to its tree: a recursive descent, bounded in length, depth and number of parts.

either  = both { OR both }
both    = one { [AND] one }
one     = (NOT | -) one | "(" either ")" | phrase | field | word
"""

from __future__ import annotations

import re

from pipeline.expression.errors import ExpressionError
from pipeline.expression.lexemes import Lexeme, split_lexemes
from pipeline.expression.tree import And, Filter, Node, Not, Or, Term

LONGEST = 4000  # characters
DEEPEST = 20  # brackets and NOTs inside of each other
MOST = 200  # words and fields
_SHOWN = {"end": "the end", "(": "“(”", ")": "“)”"}


def parse(text: str, fields: frozenset[str]) -> Node:
    """The tree of an expression; `fields` are the known names. Raises ExpressionError, also for an empty one."""
    if half := re.search("[\ud800-\udfff]", text):
        raise ExpressionError("This is no character but a part of one.", text, half.start())
    if len(text) > LONGEST:
        raise ExpressionError(f"An expression may have {LONGEST} characters, not {len(text)}.", text, LONGEST)
    return _Parser(text, fields).read()


class _Parser:
    def __init__(self, text: str, fields: frozenset[str]) -> None:
        self._text = text
        self._lexemes = list(split_lexemes(text, fields))
        self._place = 0
        self._leaves = 0

    def read(self) -> Node:
        tree = self._either(0)
        if self._next.kind != "end":
            raise self._expected("a word, a field or the end")
        return tree

    @property
    def _next(self) -> Lexeme:
        return self._lexemes[self._place]

    def _take(self) -> Lexeme:
        self._place += 1
        return self._lexemes[self._place - 1]

    def _expected(self, what: str) -> ExpressionError:
        found = self._next
        shown = _SHOWN.get(found.kind, f"“{found.text}”")
        return ExpressionError(f"Here {what} was expected, not {shown}.", self._text, found.start)

    def _either(self, depth: int) -> Node:
        parts = [self._both(depth)]
        while self._next.kind == "OR":
            self._take()
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else Or(tuple(parts), parts[0].start, parts[-1].end)

    def _both(self, depth: int) -> Node:
        parts = [self._one(depth)]
        while self._next.kind not in ("OR", ")", "end"):
            if self._next.kind == "AND":
                self._take()
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else And(tuple(parts), parts[0].start, parts[-1].end)

    def _one(self, depth: int) -> Node:
        if depth > DEEPEST:
            raise ExpressionError(
                f"Brackets and NOT may stand {DEEPEST} deep inside of each other.",
                self._text,
                self._next.start,
            )
        if self._next.kind in ("AND", "OR", ")", "end"):
            raise self._expected("a word, a field or “(”")
        lexeme = self._take()
        if lexeme.kind == "NOT":
            part = self._one(depth + 1)
            return Not(part, lexeme.start, part.end)
        if lexeme.kind == "(":
            inside = self._either(depth + 1)
            if self._next.kind != ")":
                raise ExpressionError("The bracket that opens here is not closed.", self._text, lexeme.start)
            self._take()
            return inside
        self._leaves += 1
        if self._leaves > MOST:
            raise ExpressionError(
                f"An expression may have {MOST} words and fields.", self._text, lexeme.start
            )
        if lexeme.kind == "field":
            return Filter(
                lexeme.name, lexeme.operator, lexeme.text, lexeme.quoted, lexeme.start, lexeme.end,
                lexeme.value_start,
            )  # fmt: skip
        return Term(lexeme.text, lexeme.kind == "phrase", lexeme.start, lexeme.end)
