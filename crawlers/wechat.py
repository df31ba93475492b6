"""Spider of WeChat official accounts through their albums (mp.weixin.qq.com); readers album and wechat."""

from crawlers.spider import FamilySpider


class WechatSpider(FamilySpider):
    """Crawls the sources whose keys start with `wechat_`."""

    name = "wechat"
