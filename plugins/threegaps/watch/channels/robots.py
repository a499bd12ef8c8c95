"""What the robots of DingTalk and WeCom have in common: a code in the body says whether the message was taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from threegaps.watch.message import ChannelError

_SHOWN_AS = str.maketrans("*`#<>[]|~\\", "＊｀＃＜＞［］｜～＼")
"""What Markdown reads as its own, and the same in full width: how either robot escapes is nowhere said."""


@dataclass(frozen=True, slots=True)
class Code:
    """What a code of an answer means.

    Args:
        meaning: In our words.
        is_final: Nothing but somebody's hand mends it.
        retry_after_seconds: The least pause before another try.
        is_of_message: It is this message that is refused.
    """

    meaning: str
    is_final: bool = False
    retry_after_seconds: float | None = None
    is_of_message: bool = False


def refuse(place: str, code: int, known: Mapping[int, Code]) -> None:
    """Raise what *code* means; nothing where it is 0.

    A code that is not known is no reason to lose the message: it is tried again until it is given up.

    Raises:
        ChannelError: The code is not 0.
    """
    if code == 0:
        return
    found = known.get(code)
    meaning = "" if found is None else f": {found.meaning}"
    raise ChannelError(
        f"{place} refused it with errcode {code}{meaning}.",
        None if found is None else found.retry_after_seconds,
        is_final=found is not None and found.is_final,
        concerns="either" if found is None or not found.is_final else "message" if found.is_of_message else "channel",
    )


def as_markdown(text: str, line_break: str) -> str:
    """Plain *text* as Markdown that shows the same: its lines stay lines, its signs are no marks.

    Args:
        line_break: What makes a new line in this robot's Markdown.
    """
    return line_break.join(line.translate(_SHOWN_AS) for line in text.split("\n") if line.strip())
