"""Spider of the specialised press, law firms and the feeds of all of these; readers feed, media and iprchn."""

from crawlers.spider import FamilySpider


class MediaSpider(FamilySpider):
    """Crawls the sources whose keys start with `media_`."""

    name = "media"
