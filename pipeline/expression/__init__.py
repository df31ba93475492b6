"""The query language that rules and search share: read once, held against a text in memory or against the database.

docs/query-language.md describes it for people. `read_query` makes a `Query` of an expression.
"""

from pipeline.expression.errors import ExpressionError
from pipeline.expression.query import Query, Widened, read_query, read_words

__all__ = ["ExpressionError", "Query", "Widened", "read_query", "read_words"]
