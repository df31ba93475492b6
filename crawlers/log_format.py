"""Log lines shortened to what a person needs: which page, and why."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import cache
from typing import Any

from scrapy import Spider
from scrapy.logformatter import LogFormatter, LogFormatterResult
from service_identity import CertificateError
from twisted.logger import globalLogBeginner


class NoticeLogFormatter(LogFormatter):
    """Names a notice by its URL instead of printing it whole; URLs are shown escaped, on one line."""

    def item_error(
        self, item: Any, exception: BaseException, response: Any, spider: Spider
    ) -> LogFormatterResult:
        """An item that a step or the store failed on."""
        return {"level": logging.ERROR, "msg": "Lost: %(url)r", "args": {"url": item.notice.url}}

    def dropped(
        self, item: Any, exception: BaseException, response: Any, spider: Spider
    ) -> LogFormatterResult:
        """An item that a step dropped."""
        return {
            "level": logging.WARNING,
            "msg": "Dropped: %(url)r: %(exception)s",
            "args": {"url": item.notice.url, "exception": exception},
        }


class CertificateFilter(logging.Filter):
    """Makes one sentence of a certificate that can't even be checked; Twisted logs it with a traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always True; the record's traceback goes where it says no more than the sentence."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, CertificateError):
            record.msg, record.args = f"A certificate was refused: {error}", ()
            record.exc_info = record.exc_text = None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


def skip_unseen(level: str) -> None:
    """Spare Scrapy the making of log lines below this level; its handlers drop them, two or three for every page."""
    logging.getLogger("scrapy").setLevel(level)


@cache
def shorten_twisted() -> None:
    """Let what Twisted logs go to crawl.log only, a refused certificate as one sentence. For a process that crawls."""
    logging.getLogger("twisted").addFilter(CertificateFilter())
    # Until somebody begins, Twisted prints all that is critical on standard error too.
    globalLogBeginner.beginLoggingTo([], discardBuffer=True, redirectStandardIO=False)


class SecretFilter(logging.Filter):
    """Takes known secrets out of every log line, whoever wrote it."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        self._secrets = tuple(secret for secret in secrets if secret)

    def filter(self, record: logging.LogRecord) -> bool:
        """Always True; the record's text is changed where it holds a secret."""
        text = record.getMessage()
        if any(secret in text for secret in self._secrets):
            for secret in self._secrets:
                text = text.replace(secret, "***")
            record.msg, record.args = text, ()
        return True
