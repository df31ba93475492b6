"""The form in which texts are compared, and the numbers that are taken from it."""

from __future__ import annotations

import pytest
from opencc import OpenCC

from pipeline.dedupe import sketch
from pipeline.dedupe.folding import fold_letters
from pipeline.normalize import fold

IDEOGRAPHS = [
    character
    for codes in (range(0x3400, 0xA000), range(0xF900, 0xFB00), range(0x20000, 0x20100))
    for character in map(chr, codes)
    if character.isalpha()
]


def simplify(text: str) -> str:
    for variant in ("hk2s", "tw2s"):
        text = OpenCC(variant).convert(text)
    return text


def test_every_ideograph_is_simplified_as_opencc_does_it() -> None:
    simplified = simplify("\n".join(IDEOGRAPHS)).split("\n")
    assert [fold_letters(one) for one in IDEOGRAPHS] == [fold(one) for one in simplified]


@pytest.mark.parametrize("word", ["沈默", "藉口", "答覆", "土坏", "瞭解到", "英哩", "看著", "著作權"])
def test_a_word_is_simplified_also_where_its_characters_are_not(word: str) -> None:
    assert fold_letters(word) == simplify(word) != word


def test_of_two_grams_with_one_hash_the_later_one_counts() -> None:
    one, between, other = "侵公赔审侵", "甲乙丙丁戊己庚辛壬癸", "原偿标赔上"
    values = sketch(one + between + other)
    assert len(values) == 15
    assert len({*values} & {*sketch("子丑寅卯辰" + between + other)}) == 11
    assert len({*values} & {*sketch(one + between + "子丑寅卯辰")}) == 10
