"""What a query can't answer."""

from __future__ import annotations

from errors import IprwatchError


class QueryError(IprwatchError):
    """A search that can't mean anything. Raised by `search_items`; the message says which part and why."""
