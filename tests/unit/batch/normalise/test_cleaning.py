"""Spaces, apostrophes, full-width characters and words for a missing value."""

from __future__ import annotations

import polars as pl

from tests.unit.batch.normalise.normalising import normalised
from threegaps.batch.columns import LARGEST_DICTIONARY
from threegaps.batch.normalise.full_width_digits import full_width_digits
from threegaps.batch.normalise.leading_apostrophe import leading_apostrophe
from threegaps.batch.normalise.missing_words import missing_words
from threegaps.batch.normalise.spaces import empty_texts, surrounding_spaces
from threegaps.batch.normalise.text_columns import Counts, TextColumn, Texts
from threegaps.contracts.options.normalisations import FullWidthDigits, LeadingApostrophe, MissingWords


def test_spaces_around_a_text_go_and_those_within_stay() -> None:
    texts, counts = normalised(
        lambda _, texts, counts: surrounding_spaces(texts, counts),
        None,
        {"a": [" 12", "1 2", "12\t", "　12", None], "b": ["x", "y", "", "z", None]},
    )
    assert texts == {"a": ["12", "1 2", "12", "12", None], "b": ["x", "y", "", "z", None]}
    assert counts == {"surrounding_space.a": 3}


def test_few_values_and_many_have_the_same_spaces() -> None:
    every = [f"{chr(code)}x" for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    few, many = Counts(), Counts()
    for start in range(0, len(every), 200):
        surrounding_spaces({"a": TextColumn("a", pl.Series(every[start : start + 200]))}, few)
    texts = TextColumn("a", pl.Series(every))
    assert texts.dictionary is None
    surrounding_spaces({"a": texts}, many)
    assert few == many
    assert many["surrounding_space.a"] > 20


def test_nothing_written_is_missing_and_not_counted() -> None:
    texts, counts = normalised(lambda _, texts, __: empty_texts(texts), None, {"a": ["", "x", None]})
    assert texts == {"a": [None, "x", None]}
    assert counts == {}


def test_apostrophe_before_a_number_kept_as_text() -> None:
    option = LeadingApostrophe(kind="leading_apostrophe", columns=("a",))
    texts, counts = normalised(
        leading_apostrophe, option, {"a": ["'0012", "‘3", "4'", "'"], "b": ["'1", "2", "3", "4"]}
    )
    assert texts == {"a": ["0012", "3", "4'", ""], "b": ["'1", "2", "3", "4"]}
    assert counts == {"leading_apostrophe.a": 3}


def test_full_width_characters_of_declared_columns() -> None:
    option = FullWidthDigits(kind="full_width_digits", columns=("a",))
    texts, counts = normalised(
        full_width_digits, option, {"a": ["１２．５", "Ｘ9", "浙A1", None], "b": ["１", "2", "3", "4"]}
    )
    assert texts == {"a": ["12.5", "X9", "浙A1", None], "b": ["１", "2", "3", "4"]}
    assert counts == {"full_width_digits.a": 2}


def test_missing_words_are_those_declared_and_whole() -> None:
    option = MissingWords(kind="missing_words")
    texts, counts = normalised(missing_words, option, {"a": ["无", "无锡", "/", "0"], "b": ["—", "a/b", "-1", None]})
    assert texts == {"a": [None, "无锡", None, "0"], "b": [None, "a/b", "-1", None]}
    assert counts == {"missing_words.a": 2, "missing_words.b": 1}


def test_a_word_that_is_missing_in_one_column_is_a_value_in_another() -> None:
    option = MissingWords(kind="missing_words", words=("面议", "-1"), columns=("wage",))
    texts, counts = normalised(
        missing_words, option, {"wage": ["面议", "8千-1.2万", "-1"], "floor": ["-1", "2", "面议"]}
    )
    assert texts == {"wage": [None, "8千-1.2万", None], "floor": ["-1", "2", "面议"]}
    assert counts == {"missing_words.wage": 2}


def test_texts_that_hardly_repeat_are_changed_like_those_that_do() -> None:
    written = [f"{number:08d}" for number in range(LARGEST_DICTIONARY + 10)]
    written[7] = " '７ "
    texts: Texts = {"a": TextColumn("a", pl.Series(written))}
    assert texts["a"].dictionary is None
    counts = Counts()
    surrounding_spaces(texts, counts)
    leading_apostrophe(LeadingApostrophe(kind="leading_apostrophe", columns=("a",)), texts, counts)
    full_width_digits(FullWidthDigits(kind="full_width_digits", columns=("a",)), texts, counts)
    assert texts["a"].texts[7] == "7"
    assert counts == {"surrounding_space.a": 1, "leading_apostrophe.a": 1, "full_width_digits.a": 1}
