"""What somebody may have meant who wrote a name that there is not."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_MOST = 5


def nearest(text: str, known: Iterable[str]) -> list[str]:
    """The names of *known* that are most like *text*, or have it in them: the likeliest first, five at most."""
    names = sorted(set(known))
    asked = text.casefold().strip()
    alike = difflib.get_close_matches(asked, names, n=_MOST, cutoff=0.75)
    last = {name.rpartition("/")[2]: name for name in names}
    alike += [last[one] for one in difflib.get_close_matches(asked.rpartition("/")[2], last, n=_MOST, cutoff=0.75)]
    within = [name for name in names if len(asked) > 1 and asked in name.casefold()]
    return list(dict.fromkeys([*alike, *within]))[:_MOST]


def did_you_mean(text: str, known: Iterable[str], *, otherwise: str) -> str:
    """Advice for who wrote *text*: the nearest names, or *otherwise* where none is near."""
    near = nearest(text, known)
    return f"did you mean {' or '.join(near)}? Else {otherwise}" if near else otherwise
