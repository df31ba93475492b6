"""The shape of the code: which room may import which, and what every part that is declared must have."""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from scrapy.settings import default_settings
from scrapy.spiderloader import SpiderLoader
from scrapy.utils.misc import load_object

import crawlers.settings
import pipeline
from configuration import Configuration
from crawlers.crawl import build_settings
from crawlers.errors import PageError
from crawlers.gate import HostGateMiddleware
from crawlers.guard import GuardMiddleware, PublicResolver
from crawlers.page import Page
from crawlers.readers import READERS, read, reader_for
from crawlers.replay import find_recordings
from crawlers.robots import RobotsMiddleware
from crawlers.runs import RunLedger
from crawlers.source import FAMILIES, Source, load_sources
from pipeline.normalize import identify_url

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "samples"
ROOMS = ("crawlers", "pipeline", "query")
LONGEST_MODULE = 450  # lines

# Which of the project's top-level names each of them may import at run time; who isn't listed may import all.
MAY_IMPORT = {
    "errors": set(),
    "outgoing": {"errors"},
    "chromium": {"errors"},
    "pipeline": {"errors", "outgoing", "pipeline"},
    "query": {"errors", "chromium", "pipeline", "query"},
    "configuration": {"errors", "outgoing", "pipeline", "crawlers"},
    "crawlers": {"errors", "outgoing", "chromium", "pipeline", "crawlers", "configuration"},
}
NETWORK_AND_DATABASE = {
    "scrapy",
    "twisted",
    "sqlalchemy",
    "httpx",
    "socket",
    "requests",
    "psycopg",
    "sqlite3",
}
# Modules of pipeline/ that are no step: what flows, what happens after the rows are written, how a text is shown.
NO_STEPS = {"record", "batch", "alerts", "health", "expression", "sentence"}


def python_files(place: str) -> list[Path]:
    """A top-level module or every module of a room."""
    file = ROOT / f"{place}.py"
    return [file] if file.is_file() else sorted((ROOT / place).rglob("*.py"))


def top_level() -> list[str]:
    """The project's own top-level names: the rooms and the modules beside them."""
    return [*ROOMS, *(path.stem for path in sorted(ROOT.glob("*.py")))]


def imported_modules(file: Path) -> Iterator[str]:
    """All modules, or what is taken out of them, that a file imports when it runs; also inside functions."""
    package = file.relative_to(ROOT).with_suffix("").parts[:-1]
    waiting: list[ast.AST] = [ast.parse(file.read_text("utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            waiting.extend(node.orelse)
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            start = ".".join([*base, *filter(None, [node.module])])
            yield from (f"{start}.{alias.name}" for alias in node.names)
        waiting.extend(ast.iter_child_nodes(node))


def name_of(file: Path) -> str:
    return str(file.relative_to(ROOT))


MODULES = [file for place in top_level() for file in python_files(place)]


@pytest.mark.parametrize("place", sorted(MAY_IMPORT))
def test_imports_point_one_way(place: str) -> None:
    own = set(top_level())
    wrong = [
        f"{name_of(file)} imports {module}"
        for file in python_files(place)
        for module in imported_modules(file)
        if (head := module.split(".")[0]) in own and head not in MAY_IMPORT[place]
    ]
    assert not wrong


@pytest.mark.parametrize("place", ["pipeline", "query"])
def test_pipeline_and_query_know_nothing_of_scrapy(place: str) -> None:
    wrong = [
        f"{name_of(file)} imports {module}"
        for file in python_files(place)
        for module in imported_modules(file)
        if module.split(".")[0] in ("scrapy", "twisted")
    ]
    assert not wrong


def test_readers_touch_neither_network_nor_database() -> None:
    wrong = [
        f"{name_of(file)} imports {module}"
        for file in python_files("crawlers/readers")
        for module in imported_modules(file)
        if module.split(".")[0] in NETWORK_AND_DATABASE or module.startswith("pipeline.store")
    ]
    assert not wrong


def test_a_lock_on_an_item_keeps_out_no_writer_of_a_row_that_refers_to_it() -> None:
    """PostgreSQL's FOR UPDATE would, and two such writers could wait for each other; FOR NO KEY UPDATE doesn't."""
    locks = [
        (file.name, ast.unparse(node))
        for file in MODULES
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "with_for_update"
    ]
    of_items = [(name, lock) for name, lock in locks if re.search(r"\bItem\b", lock)]
    assert len(of_items) >= 4
    assert [(name, lock) for name, lock in of_items if "key_share=True" not in lock] == []


def test_the_steps_are_the_modules_of_the_pipeline() -> None:
    found = {
        path.stem
        for path in (ROOT / "pipeline").iterdir()
        if path.name != "__init__.py" and (path.suffix == ".py" or (path / "__init__.py").is_file())
    }
    assert found - NO_STEPS == set(pipeline.STEPS)


def test_notices_are_interpreted_by_the_steps_in_their_order() -> None:
    assert list(pipeline.STEPS) == ["normalize", *pipeline.ENRICHING, "store"]


def test_every_family_has_a_spider_in_a_module_of_its_name() -> None:
    loader = SpiderLoader.from_settings(build_settings(Configuration(contact="tests@example.com"), None))
    assert {name: loader.load(name).__module__ for name in loader.list()} == {
        family: f"crawlers.{family}" for family in FAMILIES
    }


def test_nothing_of_a_crawl_listens() -> None:
    settings = build_settings(Configuration(contact="tests@example.com"), None)
    assert not settings.getbool("TELNETCONSOLE_ENABLED")
    assert not settings.getbool("REMOTE_CONTROL_ENABLED")


def test_names_are_resolved_by_our_guard() -> None:
    settings = build_settings(Configuration(contact="tests@example.com"), None)
    assert load_object(settings["TWISTED_DNS_RESOLVER"]) is PublicResolver


OURS = (GuardMiddleware, RobotsMiddleware, HostGateMiddleware)


@pytest.mark.parametrize("ours", OURS)
def test_guard_and_manners_see_every_request_last(ours: type) -> None:
    settings = build_settings(Configuration(contact="tests@example.com"), None)
    places = {
        load_object(path): place
        for path, place in settings.getwithbase("DOWNLOADER_MIDDLEWARES").items()
        if place is not None
    }
    theirs = [place for component, place in places.items() if component not in OURS]
    assert places[ours] > max(theirs)


def test_runs_are_judged_from_signals() -> None:
    settings = build_settings(Configuration(contact="tests@example.com"), None)
    assert RunLedger in map(load_object, settings.getwithbase("EXTENSIONS"))


def test_one_request_at_a_time_goes_to_a_host() -> None:
    settings = build_settings(Configuration(contact="tests@example.com"), None)
    assert settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN") == 1
    assert settings.getfloat("DOWNLOAD_DELAY") > 0


def test_every_setting_of_scrapy_is_one_that_scrapy_knows() -> None:
    tree = ast.parse(Path(crawlers.settings.__file__).read_text("utf-8"))
    set_here = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    assert {name for name in set_here if not hasattr(default_settings, name)} == set()


@pytest.mark.parametrize("file", MODULES, ids=name_of)
def test_no_module_is_two_ideas_long(file: Path) -> None:
    assert len(file.read_text("utf-8").splitlines()) <= LONGEST_MODULE


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_function_and_class_says_what_it_is_for(room: str) -> None:
    silent = []
    for file in python_files(room):
        if "migrations" in file.parts:
            continue
        tree = ast.parse(file.read_text("utf-8"))
        if not ast.get_docstring(tree):
            silent.append(name_of(file))
        silent += [
            f"{name_of(file)}: {node.name}"
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and not node.name.startswith("_")
            and not ast.get_docstring(node)
        ]
    assert not silent


@pytest.mark.parametrize("name", READERS)
def test_every_reader_offers_the_whole_interface(name: str) -> None:
    reader = READERS[name]
    for function in ("recognises", "kind_of", "read_list", "read_article"):
        assert callable(getattr(reader, function, None)), function


BUILT_IN = load_sources()
CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.mark.parametrize("source", BUILT_IN.values(), ids=BUILT_IN)
def test_every_built_in_source_is_named_in_chinese_and_english(source: Source) -> None:
    assert CHINESE.search(source.name_zh)
    # A foreign publisher may have no Chinese name; then its own stands in both places.
    assert CHINESE.search(source.publisher_zh) or source.publisher_zh == source.publisher_en
    for text in (source.name_en, source.publisher_en):
        assert not CHINESE.search(text), text


def test_no_two_built_in_sources_watch_the_same_list() -> None:
    urls = [source.url for source in BUILT_IN.values()]
    assert sorted(urls) == sorted(set(urls))


def test_at_least_sixty_lists_are_watched_out_of_the_box() -> None:
    assert sum(source.url.startswith("http") for source in BUILT_IN.values()) >= 60


# --- Every reader that a source names is held by recorded pages ---

SHOWN = load_sources([SAMPLES / "sources.toml"])
USED_READERS = sorted({source.reader for source in SHOWN.values()} & set(READERS))


@cache
def recorded_pages() -> tuple[tuple[Page, str, str], ...]:
    """Every sample with the reader that takes it and what it is; a refused one counts under its refusal."""
    pages = []
    for recording in find_recordings(SAMPLES):
        page = recording.open_page()
        try:
            name, reader = reader_for(page)
        except PageError:
            continue
        try:
            kind = str(reader.kind_of(page))
            read(page)
        except PageError as error:
            kind = f"refused: {error.kind}"
        pages.append((page, name, kind))
    return tuple(pages)


@pytest.mark.parametrize("name", USED_READERS)
def test_a_source_s_reader_has_a_recorded_list(name: str) -> None:
    assert [page for page, reader, kind in recorded_pages() if reader == name and kind == "list"]


@pytest.mark.parametrize("name", USED_READERS)
def test_a_recorded_list_leads_to_a_recorded_article(name: str) -> None:
    reader = READERS[name]
    pages = {identify_url(page.url): page for page, _, _ in recorded_pages()}
    read_articles = []
    for listing in [page for page, taken_by, kind in recorded_pages() if taken_by == name and kind == "list"]:
        # A feed may bring its articles whole.
        if (read_notices := getattr(reader, "read_notices", None)) is not None:
            read_articles += read_notices(listing)
        for entry in reader.read_list(listing).entries:
            page = pages.get(entry.identity or "") or pages.get(identify_url(entry.url))
            if page is None:
                continue
            with contextlib.suppress(PageError):
                read_articles.append(reader_for(page)[1].read_article(page, entry))
    assert read_articles


@pytest.mark.parametrize("name", USED_READERS)
def test_a_source_s_reader_has_a_recorded_page_that_it_refuses(name: str) -> None:
    assert [page for page, reader, kind in recorded_pages() if reader == name and kind.startswith("refused")]
