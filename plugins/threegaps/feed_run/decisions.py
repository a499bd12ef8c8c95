"""What a decision of a person must say."""

from __future__ import annotations

from collections.abc import Mapping

from threegaps.errors import LedgerError
from threegaps.standards.white_space import is_blank

_LONGEST = 2000


def check_words(feed: str, words: Mapping[str, str]) -> None:
    """Refuse a decision that does not say who takes it, or why.

    Args:
        feed: The feed that it is about.
        words: What was written, by what it has to say.

    Raises:
        LedgerError: Something is empty, or too long to be read.
    """
    for what, text in words.items():
        if is_blank(text) or len(text) > _LONGEST:
            raise LedgerError(
                f"Say {what}, in 1 to {_LONGEST} characters.",
                feed=feed,
                advice='write --why "..." --by NAME: both are kept in the ledger.',
            )
