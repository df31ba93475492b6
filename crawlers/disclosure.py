"""Spider of listed companies' announcements (SSE, CNINFO); reader disclosure."""

from crawlers.spider import FamilySpider


class DisclosureSpider(FamilySpider):
    """Crawls the sources whose keys start with `disclosure_`."""

    name = "disclosure"
