"""Cursors: where a page ended, in a form that clients pass on and don't read."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json

from query.errors import QueryError

_DIGEST_BYTES = 9
_MOST = 2**63 - 1
MOST_LENGTH = 300


def write_cursor(asked: str, place: tuple[int | str, ...]) -> str:
    """The cursor of a page of this question that ended at this place."""
    written = json.dumps(place, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_digest(asked, written) + written).decode().rstrip("=")


def read_cursor(asked: str, cursor: str, shape: tuple[type[int] | type[str], ...]) -> tuple[int | str, ...]:
    """The place in a cursor. Raises QueryError for what is none of this question, for one made up, and for a place
    of another shape.

    The digest binds a cursor to its question, so that a page of one search is never continued in another. It is no
    secret: a cursor gives no right that its bearer hasn't without it.
    """
    place: object = None
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        digest, written = raw[:_DIGEST_BYTES], raw[_DIGEST_BYTES:]
        if digest == _digest(asked, written):
            place = json.loads(written)
    except (binascii.Error, ValueError, RecursionError):
        pass
    if (
        not isinstance(place, list)
        or [type(part) for part in place] != list(shape)
        or any(isinstance(part, int) and abs(part) > _MOST for part in place)
        or any(isinstance(part, str) and not part.isalnum() for part in place)
    ):
        raise QueryError(
            "The cursor is none that this question gave; take `next` of the page before, with the same filters."
        )
    return tuple(place)


def _digest(asked: str, written: bytes) -> bytes:
    return hashlib.blake2b(
        asked.encode("utf-8", "surrogatepass") + b"\0" + written, digest_size=_DIGEST_BYTES
    ).digest()
