"""Whatever comes in, nothing goes out that moves a cursor, turns a line round or hides."""

from __future__ import annotations

import json
import logging
import re
import unicodedata

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from threegaps.standards.visible import (
    FORMULA_MARKS,
    OneLineFilter,
    for_html,
    for_spreadsheet,
    from_spreadsheet,
    log_of,
    one_line,
    visible,
    within_json,
)
from threegaps.watch.message import Message

# Characters that act, among others that do not.
SIGNS = "\x1b\x9b\x07\x7f\r\n\t\u202e\u2066\u200b\u2028\ufeff[='"
TEXTS = st.text(st.one_of(st.characters(), st.sampled_from(SIGNS)))
DIRECTIONS = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}
ACTING = (
    *range(0x0A), *range(0x0B, 0x20), *range(0x7F, 0xA0), 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2028, 0x2029,
    *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x2060, 0xFEFF, 0x061C, 0xE0041, 0xD800, 0xDCFF,
)  # fmt: skip


@pytest.mark.parametrize("code", ACTING)
def test_every_character_that_acts_is_written_as_its_number(code: int) -> None:
    shown = visible(f"a{chr(code)}b")
    assert chr(code) not in shown
    assert shown.isascii()
    assert shown.startswith("a\\")
    assert shown.endswith("b")
    assert len(shown) > 3


@given(TEXTS)
@example("\x1b]0;title\x07\x1b[2J")
@example("资\u202e料\x9b31m")
def test_nothing_that_acts_comes_out(text: str) -> None:
    shown = visible(text)
    assert not any((ord(one) < 0x20 and one != "\n") or 0x7F <= ord(one) <= 0x9F for one in shown)
    assert not {unicodedata.category(one) for one in shown} & {"Zl", "Zp", "Cs"}
    assert not {unicodedata.bidirectional(one) for one in shown} & DIRECTIONS
    assert visible(shown) == shown
    assert "\n" not in one_line(text)
    shown.encode()


@given(TEXTS)
def test_what_shows_itself_stays(text: str) -> None:
    kept = [one for one in text if one == "\n" or (one.isprintable() and one != "\xad")]
    assert [one for one in kept if one not in visible(text)] == []


def test_on_a_page_marks_are_no_tags_and_nothing_turns_it_round() -> None:
    assert for_html('<b title="x">\u202eok\x9b') == "&lt;b title=&quot;x&quot;&gt;\\u202eok\\x9b"


def test_a_message_to_people_holds_nothing_that_acts() -> None:
    message = Message("id", None, "opened", "warning", "feed\r\nBcc: all", "why: \x1b[2J\nline")
    assert (message.subject, message.text) == ("feed\\r\\nBcc: all", "why: \\x1b[2J\nline")


def test_ordinary_text_stays_as_it_is() -> None:
    text = "杭州市余杭区\n 2026-06 · +3.5 %, “as sent” 𠮷 é"
    assert visible(text) == text


@given(st.recursive(TEXTS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner)))
@settings(max_examples=50)
def test_json_is_read_back_as_it_was_and_shows_nothing_that_acts(value: object) -> None:
    document = within_json(json.dumps(value, ensure_ascii=False, indent=1))
    assert json.loads(document) == value
    assert visible(document) == document


@given(TEXTS, st.sampled_from((*FORMULA_MARKS, "\t=", " =", "'=", "\r@", "\n+", "\ufeff=")))
def test_no_cell_begins_as_a_formula(text: str, mark: str) -> None:
    assume(re.fullmatch(r"-[0-9.]+", mark + text) is None)
    assert not for_spreadsheet(mark + text).lstrip().startswith(FORMULA_MARKS)
    assert visible(for_spreadsheet(text)) == for_spreadsheet(text)
    assert from_spreadsheet(for_spreadsheet(mark + text)) == visible(mark + text)
    assert from_spreadsheet(for_spreadsheet(text)) == visible(text)


@pytest.mark.parametrize("number", ["-120.50", "-0", "-5", "-330106199001011234"])
def test_a_number_below_zero_is_no_formula(number: str) -> None:
    assert for_spreadsheet(number) == number
    for cell in (number, f"'{number}"):
        assert from_spreadsheet(for_spreadsheet(cell)) == cell
    assert from_spreadsheet(f"'{number}") == number, "somebody has marked it as a text"


@pytest.mark.parametrize("text", ["-5-3", "-1+cmd|' /C calc'!A0", "--5", "-5.", "-", "-5\n", "－5", "+5", "-1e5"])
def test_what_only_begins_like_a_number_may_be_a_formula(text: str) -> None:
    assert for_spreadsheet(text) == f"'{text}"


def test_a_message_of_a_log_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    logger = log_of("test_visible")
    assert log_of("test_visible") is logger
    assert sum(isinstance(one, OneLineFilter) for one in logger.filters) == 1
    with caplog.at_level(logging.INFO, "test_visible"):
        logger.info("file %s", "a\nINFO all is well\x1b[2K")
        logger.info("%d of %d", 1, 2)
    assert [record.getMessage() for record in caplog.records] == ["file a\\nINFO all is well\\x1b[2K", "1 of 2"]
