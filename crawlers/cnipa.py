"""Spider of the patent and trademark office CNIPA (www.cnipa.gov.cn) by its columns; reader hanweb."""

from crawlers.spider import FamilySpider


class CnipaSpider(FamilySpider):
    """Crawls the sources whose keys start with `cnipa_`."""

    name = "cnipa"
