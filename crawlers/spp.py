"""Spider of the Supreme People's Procuratorate (www.spp.gov.cn) and its channels; reader spp."""

from crawlers.spider import FamilySpider


class SppSpider(FamilySpider):
    """Crawls the sources whose keys start with `spp_`."""

    name = "spp"
