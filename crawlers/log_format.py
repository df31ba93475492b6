"""Scrapy's log lines about items, shortened to what a person needs: which page, and why."""

from __future__ import annotations

import logging
from typing import Any

from scrapy import Spider
from scrapy.logformatter import LogFormatter, LogFormatterResult


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
