"""Files that are refused as a whole, whatever their format."""

from __future__ import annotations

from typing import NoReturn

from threegaps.batch.decode.blocks import Part
from threegaps.contracts.model import Contract
from threegaps.errors import FeedError

_FEWEST_BAD_ROWS, _LARGEST_BAD_SHARE = 20, 0.2


def refuse_empty(contract: Contract, part: Part) -> NoReturn:
    """Refuse a part that says nothing.

    Raises:
        FeedError: Always.
    """
    raise FeedError(
        "The file is empty.",
        feed=contract.feed,
        file=part.source_name,
        advice="ask the department to send it again.",
        sender_advice="look whether it was written to its end; where there is nothing to report, write the header"
        " alone.",
    )


def is_another_encoding(bad: int, rows: int) -> bool:
    """Whether so many of *rows* have bytes of no text that the whole is in another encoding than declared."""
    return bad >= _FEWEST_BAD_ROWS and bad > _LARGEST_BAD_SHARE * rows


def refuse_encoding(contract: Contract, part: Part, encoding: str, row: int, *, found: str | None = None) -> NoReturn:
    """Refuse a part that is not in the declared encoding, from its data row *row* on (0 is the header).

    Args:
        found: The encoding that it is in, where that is known.

    Raises:
        FeedError: Always.
    """
    raise FeedError(
        f"The bytes are not {encoding}, as the contract declares{f', but {found}' if found else ''}.",
        feed=contract.feed,
        file=part.source_name,
        row=row,
        advice="ask the department which encoding it wrote; if that changed for good, change the contract.",
        sender_advice="save it in Excel as CSV UTF-8 (Comma delimited)."
        if encoding == "utf-8-sig"
        else f"save it as {encoding}.",
    )


def refuse_kind(contract: Contract, part: Part, found: str, wanted: str) -> NoReturn:
    """Refuse a part that is *found*, where the contract declares *wanted*.

    Raises:
        FeedError: Always.
    """
    raise FeedError(
        f"The file is {found}, and the contract declares {wanted}.",
        feed=contract.feed,
        file=part.source_name,
        advice="ask the department to send it in the declared form; if the form changed for good, change the contract.",
        sender_advice="save it in the form that the contract declares.",
    )


def refuse_over_limit(
    contract: Contract, part: Part, what: str, limit: str, allowed: int, *, row: int | None = None
) -> NoReturn:
    """Refuse a part that holds more than it may.

    Args:
        what: What there is too much of, as the end of "The file has".
        limit: The limit's key in the contract.
        allowed: The limit.

    Raises:
        FeedError: Always.
    """
    raise FeedError(
        f"The file has {what}: more than the limit of {allowed:,}.",
        cause="limit_exceeded",
        feed=contract.feed,
        file=part.source_name,
        row=row,
        advice="look at the file: it may be damaged, or hold cells that are only formatted; if it is right, raise"
        f" {limit} in customProperties/fileFormat/limits of the contract.",
        sender_advice="look at the file: it may be damaged, or hold cells that are only formatted; if it is right, ask"
        " the province to allow more.",
    )
