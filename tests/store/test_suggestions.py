"""Words that find nothing: what is known and written alike is suggested."""

from __future__ import annotations

from sqlalchemy import Engine

from pipeline.expression import read_query
from pipeline.store.write import write_records
from query.suggestions import suggest_words
from tests.notices import make_record


def test_a_slip_of_the_hand_is_answered_with_courts_terms_and_parties(store: Engine) -> None:
    write_records(store, [make_record(1, body="原告杭州澄禾科技有限公司诉称被告侵权。")])

    def suggested(text: str) -> dict[str, list[str]]:
        return {one["word"]: one["near"] for one in suggest_words(store, read_query(text))}

    assert "杭州澄禾科技有限公司" in suggested("杭州橙禾科技有限公司")["杭州橙禾科技有限公司"]
    assert "北京知识产权法院" in suggested("北京知识产杈法院")["北京知识产杈法院"]
    assert "trademark" in suggested("trademrak")["trademrak"]
    assert suggested("商標 最高法 南京中院 xyzxyzxyz source:nowhere") == {}
