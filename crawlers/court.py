"""Spider of the Supreme People's Court: www.court.gov.cn, read by `court_gov`."""

from crawlers.spider import FamilySpider


class CourtSpider(FamilySpider):
    """Crawls the sources whose keys start with `court_`."""

    name = "court"
