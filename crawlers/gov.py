"""Spider of the State Council (www.gov.cn), SAMR, NCAC and the IP offices of provinces and cities; readers gov_cn,
gov_search, samr, ip_offices and trs."""

from crawlers.spider import FamilySpider


class GovSpider(FamilySpider):
    """Crawls the sources whose keys start with `gov_`."""

    name = "gov"
