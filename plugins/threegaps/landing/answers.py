"""Answers of an interface: read by the same rules when they are fetched and when what landed of them is decoded.

Byte order marks before an answer are no part of it. A list of rows that is empty, one that is null and one that is
missing are three things: only the first says by itself that there are no rows. What is wrong with one row only stays in
it, to be refused with it: bytes that are no text, a key that stands twice, values within values without end.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Literal

Silence = Literal["nothing", "null", "missing"]
"""How an answer may say that it holds no rows, besides by an empty list and by a total that is reached."""

DEEPEST = 32
"""Levels of objects and lists in an answer: a gateway's envelope and flat rows take four or five."""

NESTED = "\0nested"
"""Stands for a value that is nested more deeply than `DEEPEST`: no text can be it."""

NO_NUMBER = "\0no number"
"""Stands for NaN and the infinities, which are no JSON and which careless servers write for what they have not."""

_BYTE_ORDER_MARK = "\ufeff"
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


class AnswerError(ValueError):
    """Bytes that are no answer; the reason holds nothing of them."""


class Ambiguous(dict[str, Any]):
    """An object in which a key stands twice; the values that it has are the last ones.

    Args:
        values: What it has.
        twice: The keys that stand more than once.
    """

    def __init__(self, values: dict[str, Any], twice: frozenset[str]) -> None:
        super().__init__(values)
        self.twice = twice


def parse_answer(content: bytes, encoding: str) -> Any:
    """The document of an answer, numbers as they were written.

    Bytes that are no text of the encoding become half characters (U+DC80 to U+DCFF), as `surrogateescape` does.

    Args:
        content: Its bytes, with or without a byte order mark.
        encoding: The declared encoding.

    Raises:
        AnswerError: It is cut off or no JSON.
    """
    try:
        text = content.decode(encoding, "surrogateescape").lstrip(_BYTE_ORDER_MARK)
    except UnicodeDecodeError:
        raise AnswerError(f"not {encoding}") from None
    try:
        document = _parse(text)
    except RecursionError:
        document = None
    if document is None or _is_deeper(document, DEEPEST):
        document = _parse(_cut(text))
    return document


def value_at(document: Any, path: Sequence[str]) -> Any:
    """What stands at *path*; None where a step of it is missing or null.

    Raises:
        AnswerError: A step leads through something that is no object, or stands twice.
    """
    for step in path:
        if document is None:
            return None
        if not isinstance(document, dict):
            raise AnswerError(f"no object at the step {step!r} of {'.'.join(path)}")
        if isinstance(document, Ambiguous) and step in document.twice:
            raise AnswerError(f"the step {step!r} of {'.'.join(path)} stands twice")
        document = document.get(step)
    return document


def rows_at(document: Any, path: Sequence[str], *, announced: int | None, came: int, silence: Silence) -> list[Any]:
    """The list of rows at *path*.

    One that is null or missing holds none where no more rows are announced than came before. Else *silence* says
    whether it may; but never in an answer with another list in it, whose rows these may be.

    Args:
        document: The answer.
        path: The way to the list.
        announced: How many rows there are in all, where that is known.
        came: How many came with earlier answers.
        silence: What else may stand for no rows.

    Raises:
        AnswerError: There is no list, and nothing that says that there are no rows; or a step stands twice.
    """
    found = value_at(document, path)
    if isinstance(found, list):
        return found
    if found is None:
        if announced is not None and announced <= came:
            return []
        is_allowed = silence == "missing" or (silence == "null" and _is_null(document, path))
        if is_allowed and not _has_rows(document):
            return []
    raise AnswerError(f"no list of rows at {'.'.join(path)}")


def number_of(written: Any) -> int:
    """A total as a number.

    Raises:
        AnswerError: It is none.
    """
    text = str(written)
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise AnswerError("the total is no number of rows")
    return int(text)


def _is_null(document: Any, path: Sequence[str]) -> bool:
    """Whether a step of the path is null, and none before it missing."""
    for step in path:
        if not isinstance(document, dict) or step not in document:
            return False
        document = document[step]
        if document is None:
            return True
    return False


def _has_rows(document: Any) -> bool:
    """Whether a list with something in it stands anywhere in the objects of an answer."""
    if isinstance(document, dict):
        return any(_has_rows(value) for value in document.values())
    return isinstance(document, list) and bool(document)


def _parse(text: str) -> Any:
    try:
        return json.loads(text, parse_float=str, parse_int=str, parse_constant=_no_number, object_pairs_hook=_object)
    except RecursionError:
        raise
    except ValueError:
        raise AnswerError("cut off or no JSON") from None


def _no_number(_: str) -> str:
    return NO_NUMBER


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    counts = Counter(name for name, _ in pairs)
    return Ambiguous(made, frozenset(name for name, count in counts.items() if count > 1))


def _is_deeper(document: Any, levels: int) -> bool:
    """Whether objects and lists are nested more than *levels* deep; without recursion, for any depth."""
    level = [document] if isinstance(document, dict | list) else []
    for _ in range(levels):
        inner = (value for one in level for value in (one.values() if isinstance(one, dict) else one))
        level = [value for value in inner if isinstance(value, dict | list)]
    return bool(level)


def _cut(text: str) -> str:
    """*text* with `NESTED` in place of each value that begins below the deepest level."""
    return "".join(_pieces(text))


def _pieces(text: str) -> Iterator[str]:
    mark = json.dumps(NESTED)
    depth = kept = 0
    for token in _TOKEN.finditer(text):
        sign = token[0]
        if sign in "[{":
            depth += 1
            if depth == DEEPEST + 1:
                yield text[kept : token.start()]
                yield mark
        elif sign in "]}":
            if depth == DEEPEST + 1:
                kept = token.end()
            depth -= 1
    yield text[kept:]
