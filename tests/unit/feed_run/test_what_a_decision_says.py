"""What a decision must say: something that can be read, and not more than anybody reads."""

from __future__ import annotations

import pytest

from threegaps.errors import LedgerError
from threegaps.feed_run.decisions import check_words


def test_a_decision_that_says_something_is_taken() -> None:
    check_words("hrss/wages", {"who accepts it": "王工", "why it is meant": "县里\u3000已确认"})


@pytest.mark.parametrize("text", ["", " \n", "\u3000", "\u200b\u2060\ufeff", "x" * 2001])
def test_what_nobody_sees_or_reads_says_nothing(text: str) -> None:
    with pytest.raises(LedgerError, match="Say why it is meant"):
        check_words("hrss/wages", {"why it is meant": text})
