"""What a page can turn out to be instead of an article or a list.

Readers raise these before anything becomes data; spiders count them, keep the bytes as evidence and go on.
"""

from __future__ import annotations

from errors import IprwatchError


def describe_error(error: BaseException) -> str:
    """What failed while a page was asked for, without a full stop; of a connection that broke, why it did."""
    reasons = getattr(error.__cause__, "reasons", ())  # failures of Twisted, which `str` would show as such
    return ("; ".join(reason.getErrorMessage() for reason in reasons) or str(error)).rstrip(".")


class PageError(IprwatchError):
    """A page that is no content. Base of everything that a reader raises about a page."""

    kind = "changed"

    def __init__(self, message: str, *, url: str) -> None:
        super().__init__(message)
        self.url = url


class LayoutChanged(PageError):
    """A page has none of the shapes that its reader knows.

    Raised by readers when a mandatory part is missing; says what was looked for, what was found instead
    and at which URL.
    """

    kind = "changed"

    def __init__(self, *, url: str, expected: str, found: str) -> None:
        super().__init__(
            f"Layout changed at {url or '(no URL)'}: looked for {expected}, found {found}.", url=url
        )
        self.expected = expected
        self.found = found


class Blocked(PageError):
    """The server answered with a challenge, a login or a refusal instead of the page.

    Raised by readers and by the spiders (for a refusing status) before any reading. `reason` is a short
    stable word: `verification`, `frequency`, `login`, `http 412` …
    """

    kind = "blocked"

    def __init__(self, *, url: str, reason: str, evidence: str) -> None:
        super().__init__(f"Blocked at {url or '(no URL)'}: {reason} ({evidence}).", url=url)
        self.reason = reason
        self.evidence = evidence


class Gone(PageError):
    """The page says itself that the article is no longer to be seen.

    Raised by readers for tombstones. `kind` is one of `deleted` (by its author), `violation` (taken down
    by the platform), `account` (the whole account is blocked, closed or has moved), `unavailable` (hidden or missing,
    may come back) and `expired` (a temporary link).
    """

    KINDS = ("deleted", "violation", "account", "unavailable", "expired")

    def __init__(self, *, url: str, kind: str, evidence: str) -> None:
        if kind not in self.KINDS:
            raise ValueError(f"unknown kind of tombstone: {kind}")
        super().__init__(f"Gone ({kind}) at {url or '(no URL)'}: {evidence}.", url=url)
        self.kind = kind
        self.evidence = evidence
