"""Scrapy's settings, flat. `crawlers.crawl` adds what the configuration says."""

from crawlers.source import FAMILIES
from crawlers.steps import PipelineStep

BOT_NAME = "iprwatch"
SPIDER_MODULES = [f"crawlers.{family}" for family in FAMILIES]

# Nothing may listen: both of these are on by default, and one of them executes Python.
TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False

# Only http and https, and no name that leads to a private address.
DOWNLOAD_HANDLERS = {
    "http": "crawlers.guard.BoundedHandler",
    "https": "crawlers.certificates.HttpsHandler",
    **dict.fromkeys(("file", "data", "ftp", "s3")),
}
TWISTED_DNS_RESOLVER = "crawlers.guard.PublicResolver"
DOWNLOAD_VERIFY_CERTIFICATES = True
# Also after unpacking. The largest pages met have 3 MB; files are given more (`crawlers.attachments`).
DOWNLOAD_MAXSIZE = 8 * 1024 * 1024
DOWNLOAD_WARNSIZE = 0
REDIRECT_MAX_TIMES = 5

# One request at a time to a host, its pause kept by the gate: Scrapy's own, from start to start, is over by then.
# The robots middleware of Scrapy lets pages through while robots.txt is loading and opens up when it fails; ours
# takes its place.
SCHEDULER = "crawlers.host_queue.HostQueue"
CONCURRENT_REQUESTS = 64
CONCURRENT_REQUESTS_PER_DOMAIN = 1
DOWNLOAD_DELAY_JITTER = 0
ROBOTSTXT_OBEY = False
DOWNLOADER_MIDDLEWARES = {
    "crawlers.redirects.RefreshMiddleware": 580,
    "scrapy.downloadermiddlewares.redirect.MetaRefreshMiddleware": None,
    "crawlers.guard.UnpackingMiddleware": 590,
    "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": None,
    "crawlers.redirects.RedirectLoopMiddleware": 605,
    "crawlers.transport.ProxyMiddleware": 740,
    "crawlers.guard.GuardMiddleware": 960,
    "crawlers.robots.RobotsMiddleware": 970,
    "crawlers.gate.HostGateMiddleware": 980,
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
    # Spiders have no bounds of hosts and no passwords, and nobody reads the counts: run rows have their own. Each of
    # these, and of those below, would cost every page a walk through it.
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,
    "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,
    "scrapy.downloadermiddlewares.stats.DownloaderStats": None,
}
# Readers and spiders judge every status themselves, walk lists to their own depth, account for every URL, and write
# the meta of every request anew.
SPIDER_MIDDLEWARES = {
    "scrapy.spidermiddlewares.httperror.HttpErrorMiddleware": None,
    "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware": None,
    "scrapy.spidermiddlewares.depth.DepthMiddleware": None,
    "scrapy.spidermiddlewares.metacopy.MetaCopyDetectionMiddleware": None,
}
RETRY_TIMES = 2
COOKIES_ENABLED = False
# Pages whose items wait for their transaction; where they are more, fetching waits.
SCRAPER_SLOT_MAX_ACTIVE_SIZE = 32 * 1024 * 1024

ITEM_PIPELINES = {PipelineStep: 100}
EXTENSIONS = {
    "crawlers.runs.RunLedger": 0,
    "scrapy.extensions.corestats.CoreStats": None,
    "scrapy.extensions.logcount.LogCount": None,
    "scrapy.extensions.logstats.LogStats": None,
}

# Warnings and tracebacks go to crawl.log in the data folder; the command itself says what a person needs.
LOG_LEVEL = "WARNING"
LOG_FILE_APPEND = True
LOG_FORMATTER = "crawlers.log_format.NoticeLogFormatter"
FEED_EXPORT_ENCODING = "utf-8"
