"""Values out of inline scripts, without running them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.readers.wechat_script import plain, read_object, read_variable, script_near, text_of


def test_an_object_is_read_with_its_wrappings_nestings_and_trailing_commas() -> None:
    source = "{ a: JsDecode('甲'), b: '8' * 1, c: { d: 'x', }, e: [ ], f: [ { g: '1', }, 'two', ], h: true, }"
    assert read_object(source, 0) == {
        "a": "甲", "b": "8", "c": {"d": "x"}, "e": [], "f": [{"g": "1"}, "two"], "h": "true",
    }  # fmt: skip


def test_of_strings_joined_by_or_the_first_that_is_not_empty_counts() -> None:
    assert read_object("{a: '' || \"\" || 'x' || 'y', b: '' || -1}", 0) == {"a": "x", "b": ""}


def test_an_expression_that_would_have_to_run_is_unknown() -> None:
    values = read_object("{a: '' === 'true', b: '' ? '1' * 1 : -1, c: 'z'}", 0)
    assert values == {"a": None, "b": None, "c": "z"}


def test_braces_commas_and_quotes_inside_strings_are_text() -> None:
    assert read_object(r"""{a: 'x, } \' {', b: "it's", c: 'end\\'}""", 0) == {
        "a": r"x, } \' {",
        "b": "it's",
        "c": r"end\\",
    }


@pytest.mark.parametrize(
    "source",
    [
        "",
        "[]",
        "{a: 'x'",
        "{a: 'x}",
        "{a: }",
        "{: 'x'}",
        "{a: [ 'x' }",
        pytest.param("{a:" * 5000, id="too deep"),
    ],
)
def test_what_is_no_object_raises_value_error(source: str) -> None:
    with pytest.raises(ValueError, match="offset"):
        read_object(source, 0)


@given(
    st.recursive(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="&\\")),
        lambda inner: st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), inner, max_size=4),
        max_leaves=12,
    ).map(lambda value: {"value": value})
)
def test_any_json_object_of_texts_is_read_as_json_reads_it(values: dict[str, object]) -> None:
    def unescaped(value: object) -> object:
        return (
            {key: unescaped(inner) for key, inner in value.items()}
            if isinstance(value, dict)
            else plain(str(value))
        )

    assert unescaped(read_object(json.dumps(values), 0)) == values


def test_a_variable_skips_other_assignments_of_the_same_name() -> None:
    source = 'var biz = null; var biz = opt.biz || window.biz; var biz = "" || "Mz==";'
    assert read_variable(source, "biz") == "Mz=="
    assert read_variable("window.mid = '' || '' || '22';", "mid") == "22"


@pytest.mark.parametrize("source", ['var name = "";', 'var names = "x";', "window.name === 'x'", ""])
def test_a_variable_without_a_text_is_none(source: str) -> None:
    assert read_variable(source, "name") is None


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (r"a\x26amp;b", "a&b"),
        (r"\x26amp;quot;x\x26amp;quot;", '"x"'),
        (r"一\x0a二\n三", "一\n二\n三"),
        (r"\u4e2d\ud83d\ude00", "中😀"),
        (r"C:\\x", "C:\\x"),
        ("&amp;lt;b&amp;gt;", "<b>"),
    ],
)
def test_escapes_are_undone_in_order(raw: str, expected: str) -> None:
    assert plain(raw) == expected


def test_a_half_of_a_surrogate_pair_never_comes_out() -> None:
    plain(r"x\ud83dy").encode("utf-8")


def test_the_text_of_a_key_that_holds_none_is_empty() -> None:
    assert text_of({"a": ["x"], "b": None}, "a") == text_of({"b": None}, "b") == text_of({}, "c") == ""


def test_a_script_is_cut_at_its_own_tags() -> None:
    body = b'<script>one</script><script>var ct = "1";</script><script>two</script>'
    assert script_near(body, b"var ct") == '<script>var ct = "1";'
    assert script_near(body, b"var none") == ""
