"""What an action of the page refuses is said in Chinese, whole, on a Chinese page."""

from __future__ import annotations

import re

import pytest

from threegaps.labels import BATCH_STATUSES, both
from threegaps.translations import in_both
from threegaps.translations.catalogue import PLACEHOLDER
from threegaps.translations.texts import PACKAGE, Text, in_source

ASKED = (
    "duty/workbooks.py",
    "ledger/incidents.py",
    "ledger/tickets.py",
    "feed_run/accepting.py",
    "feed_run/decisions.py",
    "landing/store.py",
    "warehouse/quarantine.py",
    "warehouse/sessions.py",
    "returned/files.py",
    "contracts/loader.py",
)
"""Modules whose errors the actions of the page show."""
# Commands, options and what a file is called stay as they are typed.
_TYPED = re.compile(
    r"`[^`]*`|--[\w-]+(?: \"[^\"]*\")?|\.\w+|\S*/\S*|\w+_\w+|\w+\.(?:md|yaml)\b|\b(?:ODCS|YAML|CSV|id)\b"
)


def raised() -> list[Text]:
    """All that these modules raise, and what they advise."""
    return [text for name in ASKED for text in in_source((PACKAGE / name).read_text("utf-8"), name) if text.is_raised]


def english_of(said: str) -> list[str]:
    """The English words that are left in a text."""
    return re.findall(r"[A-Za-z]{2,}", _TYPED.sub("", said))


@pytest.mark.parametrize("text", raised(), ids=lambda text: text.template[:50])
def test_an_error_is_said_whole_in_chinese(text: Text) -> None:
    filled = (
        PLACEHOLDER.sub(lambda found: "7" if found[3] else "甲", text.template).replace("{{", "{").replace("}}", "}")
    )
    assert english_of(in_both(filled)[0]) == []


@pytest.mark.parametrize(
    "said",
    [
        *(f"Batch 7 is {both(BATCH_STATUSES, code)}: only a stopped batch can be accepted." for code in BATCH_STATUSES),
        "Say who accepts it, in 1 to 2000 characters.",
        "Say why it is meant, in 1 to 2000 characters.",
        "Say why it is so, in 1 to 2000 characters.",
    ],
)
def test_what_stands_within_it_is_said_in_chinese_too(said: str) -> None:
    assert english_of(in_both(said)[0]) == []


def test_english_that_is_left_is_found() -> None:
    assert english_of("须写明why。") == ["why"]
    assert english_of("见 `threegaps batches`,或用 --by 说明。") == []
