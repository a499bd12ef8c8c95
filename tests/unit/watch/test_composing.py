"""How the sentences of a message begin."""

from __future__ import annotations

import pytest

from threegaps.watch.composing import _sentence


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("union/agreements (agreements) is late: 2026-05", "union/agreements (agreements) is late: 2026-05."),
        ("hrss/wages: batch 7 of 2026-05 failed", "hrss/wages: batch 7 of 2026-05 failed."),
        ("build 7 failed", "Build 7 failed."),
        ("the warehouse does not answer", "The warehouse does not answer."),
    ],
)  # fmt: skip
def test_a_sentence_begins_with_a_capital_but_a_feed_key_is_left_alone(title: str, said: str) -> None:
    assert _sentence(title) == said
