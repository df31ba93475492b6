"""The documents name everything that is declared, their examples are valid, and their links lead somewhere."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer

import cli
from configuration import Configuration, load_configuration
from crawlers.readers import READERS
from crawlers.runs import STATES
from crawlers.source import BUILT_IN, FAMILIES, Source, load_sources
from pipeline.alerts import channels
from pipeline.alerts.rules import Escalation, Rule
from pipeline.alerts.watchlist_files import COLUMNS
from pipeline.alerts.watchlists import Watchlist
from pipeline.expression.fields import CHINESE_NAMES, FIELDS
from pipeline.legal.fact import KINDS
from pipeline.store.tables import Base
from pipeline.store.views import VIEWS
from query.export.columns import COLUMNS as EXPORTED
from query.sql.statement import FUNCTIONS

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
PAGES = [README, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
ROBOT_URL = "https://robots.example.com/send?key=1"
WEBHOOK_SECRET = "whsec_" + "QUJD" * 11
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def text_of(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


def sections(text: str) -> dict[str, str]:
    """The text below each heading, up to the next one of any level, by its words."""
    parts = re.split(
        r"^#+ (.+)$", FENCE.sub(lambda fence: fence[0].replace("#", " "), text), flags=re.MULTILINE
    )
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def rows(text: str) -> list[list[str]]:
    """The names in backticks that stand in the first cell of each row of a table."""
    return [
        re.findall(r"`([^`]+)`", line.split("|")[1])
        for line in text.splitlines()
        if line.startswith("|") and "`" in line.split("|")[1]
    ]


def named(text: str) -> list[str]:
    """All names in the first cells of a text's tables, without what an option takes: `--since DAY` -> --since."""
    return [name.split()[0] for row in rows(text) for name in row]


# --- Settings, channels, rules, sources ---

SETTINGS = sorted(set(Configuration.model_fields) - {"file"})  # `file` is where the others were read


def test_every_setting_and_nothing_else_is_documented() -> None:
    assert sorted(named(sections(text_of("configuration.md"))["Keys"])) == SETTINGS


def test_every_setting_is_documented_as_an_environment_variable() -> None:
    variables = named(sections(text_of("configuration.md"))["Environment variables"])
    assert sorted(variables) == sorted(
        ["IPRWATCH_CONFIG", *(f"IPRWATCH_{name.upper()}" for name in SETTINGS)]
    )


def test_every_environment_variable_that_code_reads_is_documented() -> None:
    pattern = re.compile(r"environ(?:\.get\(|\[)\s*\"(IPRWATCH_\w+)\"")
    files = [*ROOT.glob("*.py"), *(ROOT / "tests").rglob("*.py")]
    files += [file for room in ("crawlers", "pipeline", "query") for file in (ROOT / room).rglob("*.py")]
    read = {name for file in files for name in pattern.findall(file.read_text("utf-8"))}
    assert {name for name in read if f"`{name}`" not in text_of("configuration.md")} == set()


@pytest.mark.parametrize("kind", channels.KINDS)
def test_every_kind_of_channel_is_documented_with_its_keys(kind: str) -> None:
    keys = set(channels.KINDS[kind].model_fields)
    assert set(named(sections(text_of("configuration.md"))[kind])) == keys


@pytest.mark.parametrize("kind", channels.KINDS)
def test_every_kind_of_channel_is_one_that_its_keys_make(kind: str) -> None:
    made = {
        thing.kind
        for thing in (getattr(channels, name) for name in channels.__all__)
        if isinstance(getattr(thing, "kind", None), str)
    }
    assert kind in made


def test_every_key_of_a_rule_is_documented() -> None:
    parts = sections(text_of("configuration.md"))
    assert set(named(parts["Rules"])) == set(Rule.model_fields)
    text = parts["Rules"] + parts["When alerts are sent"]
    assert all(f"{key} = " in text for key in Escalation.model_fields)


def test_every_key_and_column_of_a_watchlist_is_documented() -> None:
    names = named(sections(text_of("configuration.md"))["Watchlists"])
    assert sorted(names) == sorted([*Watchlist.model_fields, *COLUMNS])


def test_every_field_of_the_query_language_is_documented_with_its_name_in_chinese() -> None:
    text = sections(text_of("query-language.md"))["Fields"]
    assert sorted(named(text)) == sorted(FIELDS)
    assert all(f"| `{field}` | {name} |" in text for name, field in CHINESE_NAMES.items())


def test_every_key_of_a_source_is_documented() -> None:
    assert set(named(sections(text_of("adding-a-source.md"))["In your own TOML"])) == set(Source.model_fields)


@pytest.mark.parametrize("name", READERS)
def test_every_reader_is_listed_with_its_own_words(name: str) -> None:
    first_line = (READERS[name].__doc__ or "").strip().splitlines()[0]
    assert f"| `{name}` | {first_line} |" in text_of("adding-a-source.md")


def test_every_family_that_is_watched_stands_in_the_readme() -> None:
    watched = {source.family for source in load_sources([ROOT / "samples" / "sources.toml"]).values()}
    assert set(named(sections(README.read_text("utf-8"))["What it watches"])) == watched & set(FAMILIES)


# --- Commands ---


@dataclass(frozen=True)
class Documented:
    """A command as the program declares it."""

    path: str
    parameters: frozenset[str]


def walk(command: Any, path: str = "iprwatch") -> Iterator[Documented]:
    yield Documented(
        path,
        frozenset(
            name
            for parameter in command.params
            for name in ([parameter.name] if parameter.param_type_name == "argument" else parameter.opts)
        ),
    )
    for name, below in getattr(command, "commands", {}).items():
        yield from walk(below, f"{path} {name}")


COMMANDS = {command.path: command for command in walk(typer.main.get_command(cli.app))}


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_is_documented_with_its_options_and_no_others(path: str) -> None:
    assert set(named(sections(text_of("commands.md"))[path])) == COMMANDS[path].parameters


def test_no_command_is_documented_that_does_not_exist() -> None:
    assert {heading for heading in sections(text_of("commands.md")) if heading.startswith("iprwatch")} == set(
        COMMANDS
    )


def fenced(page: Path, language: str) -> list[tuple[str, str]]:
    """Fenced blocks of a language: what stands after it, and the text."""
    found = []
    for info, text in FENCE.findall(page.read_text("utf-8")):
        head, _, rest = info.partition(" ")
        if head == language:
            found.append((rest.strip(), text))
    return found


SHOWN_COMMANDS = [
    (page.name, line)
    for page in PAGES
    for _, block in fenced(page, "sh")
    for line in block.splitlines()
    if re.search(r"(^|[ /|])iprwatch (?!sources\.toml)", line) and "git clone" not in line
]


@pytest.mark.parametrize(("page", "line"), SHOWN_COMMANDS)
def test_every_command_shown_exists_with_its_options(page: str, line: str) -> None:
    words = shlex.split(line.split("|")[-1] if "| iprwatch" in line else line, comments=True)
    words = words[next(index for index, word in enumerate(words) if word.endswith("iprwatch")) + 1 :]
    path, used = "iprwatch", {word for word in words if word.startswith("--")}
    for word in words:
        if f"{path} {word}" in COMMANDS:
            path = f"{path} {word}"
    assert path != "iprwatch", line
    assert used <= COMMANDS[path].parameters | COMMANDS["iprwatch"].parameters, line


# --- Dependencies, states, tables ---


def requirement_names(requirements: list[str]) -> list[str]:
    return [re.match(r"[A-Za-z0-9._-]+", requirement)[0] for requirement in requirements]  # type: ignore[index]


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.mark.parametrize("group", ["", *PROJECT["optional-dependencies"]])
def test_every_dependency_has_one_line_that_says_what_it_is_for(group: str) -> None:
    wanted = PROJECT["optional-dependencies"][group] if group else PROJECT["dependencies"]
    text = next(
        text
        for heading, text in sections(text_of("dependencies.md")).items()
        if (f"`{group}`" in heading if group else heading == "Run time")
    )
    assert sorted(named(text)) == sorted(requirement_names(wanted))


def test_every_state_of_a_run_is_explained() -> None:
    table = sections(text_of("reading-a-run.md"))["States"]
    assert [" ".join(row) for row in rows(table)] == list(STATES)


@pytest.mark.parametrize("table", Base.metadata.tables)
def test_every_table_is_documented_with_its_columns(table: str) -> None:
    columns = [column.name for column in Base.metadata.tables[table].columns]
    assert sorted(named(sections(text_of("store.md"))[table])) == sorted(columns)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_fact_is_named(kind: str) -> None:
    assert f"`{kind}`" in sections(text_of("store.md"))["fact"]


@pytest.mark.parametrize("rows_of", EXPORTED)
def test_every_column_of_an_export_is_documented(rows_of: str) -> None:
    documented = {name for row in rows(sections(text_of("analysis.md"))["Columns"]) for name in row}
    assert {name for name in EXPORTED[rows_of] if name not in documented} == set()


def test_every_view_and_function_of_sql_is_documented() -> None:
    text = sections(text_of("analysis.md"))
    assert sorted(named(text["Views"])) == sorted(VIEWS)
    assert {name for name in FUNCTIONS if name.isidentifier() and f"`{name}`" not in text["SQL"]} == set()


# --- Examples in TOML ---


@pytest.mark.parametrize("page", [page for page in PAGES if fenced(page, "toml")], ids=lambda page: page.name)
def test_examples_in_toml_are_accepted(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The word after `toml` names the file; all but iprwatch.toml hold sources. A page's files lie in one folder."""
    for setting in (*SETTINGS, "config", "file"):
        monkeypatch.delenv(f"IPRWATCH_{setting.upper()}", raising=False)
    blocks = fenced(page, "toml")
    assert all(name.endswith(".toml") for name, _ in blocks), "name the file: ```toml iprwatch.toml"
    (tmp_path / "my-sources.toml").touch()
    for name, text in blocks:
        if name != "iprwatch.toml":
            (tmp_path / name).write_text(text, encoding="utf-8")
            assert load_sources([tmp_path / name])
    for number, (_, text) in enumerate(block for block in blocks if block[0] == "iprwatch.toml"):
        for variable in re.findall(r'env = "(\w+)"', text):
            monkeypatch.setenv(variable, ROBOT_URL if variable.endswith("ROBOT") else WEBHOOK_SECRET)
        for secret in re.findall(r'\{ file = "([^"]+)"', text):
            value = ROBOT_URL if secret.endswith(".url") else WEBHOOK_SECRET
            (tmp_path / secret).write_text(value, encoding="utf-8")
        file = tmp_path / f"{number}.toml"
        file.write_text(text, encoding="utf-8")
        configuration = load_configuration(file)
        assert configuration.load_sources()
        assert set(configuration.build_channels()) == set(configuration.channels)


# --- Links ---


def anchors(page: Path) -> set[str]:
    """The anchors that a renderer makes of a page's headings."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in sections(page.read_text("utf-8"))
    }


LINKS = [
    (page, target)
    for page in PAGES
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", page.read_text("utf-8")))
    if not target.startswith(("http://", "https://"))
]


@pytest.mark.parametrize(("page", "target"), LINKS, ids=lambda value: getattr(value, "name", value))
def test_every_link_leads_somewhere(page: Path, target: str) -> None:
    name, _, anchor = target.partition("#")
    file = (page.parent / name).resolve() if name else page
    assert file.is_file(), target
    if anchor:
        assert anchor in anchors(file), target


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached = {
        (README.parent / target.partition("#")[0]).resolve() for page, target in LINKS if page == README
    }
    assert {page.name for page in PAGES if page != README and page not in reached} == set()


def test_every_page_that_code_points_to_exists() -> None:
    files = [ROOT / "Makefile", ROOT / "pyproject.toml", ROOT / "samples" / "iprwatch.toml", BUILT_IN]
    files += [file for room in (".", "crawlers", "pipeline", "query") for file in (ROOT / room).glob("*.py")]
    missing = [
        f"{file.relative_to(ROOT)}: {name}"
        for file in files
        for name in re.findall(r"docs/[\w-]+\.md", file.read_text("utf-8"))
        if not (ROOT / name).is_file()
    ]
    assert not missing


def test_the_first_screen_of_the_readme_holds_both_commands() -> None:
    screen = "\n".join(README.read_text("utf-8").splitlines()[:30])
    for command in ("git clone", "make demo", "make test"):
        assert command in screen
