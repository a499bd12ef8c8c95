"""How looks put times and names into words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from threegaps.standards.moments import NEVER

_MOST_LISTED = 6

Names = Mapping[str, tuple[str, str]]


def lasting(since: dt.datetime, now: dt.datetime) -> tuple[str, str]:
    """How long *since* is ago, in Chinese and in English."""
    if since >= NEVER:
        return "无从判断", "cannot tell"
    seconds = max(0, int((now - since).total_seconds()))
    for size, zh, en in ((86_400, "天", "day"), (3_600, "小时", "hour"), (60, "分钟", "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count}{zh}", f"{count} {en}{'' if count == 1 else 's'}"
    return "不到1分钟", "less than a minute"


def named(feed: str, names: Names) -> tuple[str, str]:
    """A feed with its name, in Chinese and in English; without one where none is known."""
    if feed not in names:
        return feed, feed
    zh, en = names[feed]
    return f"{zh}({feed})", f"{feed} ({en})"


def listed(items: Sequence[str], *, most: int = _MOST_LISTED) -> tuple[str, str]:
    """Some items in a line, in Chinese and in English; what is left out is counted."""
    shown = list(items[:most])
    left = len(items) - len(shown)
    if left:
        return f"{'、'.join(shown)}等{len(items)}项", f"{', '.join(shown)} and {left} more"
    return "、".join(shown), ", ".join(shown)


def size(number: int) -> str:
    """Bytes as people read them."""
    return f"{number / 1e9:,.1f} GB" if number >= 10**9 else f"{number / 1e6:,.0f} MB"
