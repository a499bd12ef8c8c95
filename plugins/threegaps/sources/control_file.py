"""The file that says what belongs to a delivery: ``parts=3 rows=120000``."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from threegaps.contracts.model import Contract
from threegaps.errors import FeedError

MOST_BYTES = 4_096
"""A control file is one short line."""

_PAIR = re.compile(r"([A-Za-z_]+)[ \t]*=[ \t]*([0-9]{1,12})(?=\s|\Z)")
MOST_PARTS = 100_000


class ControlFileError(ValueError):
    """A control file that is not wholly understood; the reason repeats nothing of it."""


@dataclass(frozen=True, slots=True)
class Control:
    """What a control file announces.

    Args:
        parts: How many files the delivery has.
        rows: How many rows they have together; None where it does not say so.
    """

    parts: int
    rows: int | None


def read_control(content: bytes) -> Control:
    """What a control file says.

    White space may stand between the pairs, a byte order mark before them, and the end mark of DOS behind them. What
    else stands there is not passed over: a number of which only a part was understood is a wrong number.

    Raises:
        ControlFileError: It is not wholly understood.
    """
    if len(content) > MOST_BYTES:
        raise ControlFileError(f"it is longer than {MOST_BYTES} bytes")
    try:
        text = content.removeprefix(codecs.BOM_UTF8).removesuffix(b"\x1a").decode("ascii")
    except UnicodeDecodeError as error:
        raise ControlFileError(f"byte {error.start + 1} is no plain letter, digit or sign") from None
    said: dict[str, int] = {}
    at = 0
    while at < len(text):
        if text[at] in " \t\r\n":
            at += 1
            continue
        pair = _PAIR.match(text, at)
        if pair is None:
            raise ControlFileError(f"what stands at character {at + 1} is no pair like parts=3")
        name = pair[1]
        if name not in {"parts", "rows"}:
            raise ControlFileError(f"the name at character {at + 1} is neither `parts` nor `rows`")
        if name in said:
            raise ControlFileError(f"it says `{name}` twice")
        said[name] = int(pair[2])
        at = pair.end()
    if "parts" not in said:
        raise ControlFileError("it does not say how many parts there are")
    if not 1 <= said["parts"] <= MOST_PARTS:
        raise ControlFileError(f"the number of parts is not between 1 and {MOST_PARTS}")
    return Control(said["parts"], said.get("rows"))


def understood(contract: Contract, name: str, content: bytes) -> Control:
    """What the control file *name* says.

    Raises:
        FeedError: It is not wholly understood.
    """
    try:
        return read_control(content)
    except ControlFileError as error:
        raise FeedError(
            f"The control file is not taken, because {error}.",
            feed=contract.feed,
            file=name,
            advice="ask the department for it again; it looks like parts=3 rows=120000.",
            sender_advice="write it anew; it looks like parts=3 rows=120000.",
        ) from None
