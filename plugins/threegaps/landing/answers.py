"""Answers of an interface: read by the same rules when they are fetched and when what landed of them is decoded.

A byte order mark before an answer is no part of it, and a list of rows that is null or missing holds none; whether an
answer may have none is for the fetcher to prove.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

DEEPEST = 32
"""Levels of objects and lists in an answer: a gateway's envelope and flat rows take four or five."""

_BYTE_ORDER_MARK = "\ufeff"


class AnswerError(ValueError):
    """Bytes that are no answer; the reason holds nothing of them."""


def parse_answer(
    content: bytes, encoding: str, *, pairs_hook: Callable[[list[tuple[str, Any]]], Any] | None = None
) -> Any:
    """The document of an answer, numbers as they were written.

    Args:
        content: Its bytes, with or without a byte order mark.
        encoding: The declared encoding.
        pairs_hook: What makes an object of its names and values, where a mapping will not do.

    Raises:
        AnswerError: It is not in this encoding, cut off, no JSON, or nested more deeply than `DEEPEST`.
    """
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise AnswerError(f"not {encoding}") from error
    try:
        document = json.loads(
            text.removeprefix(_BYTE_ORDER_MARK),
            parse_float=str,
            parse_int=str,
            parse_constant=str,
            object_pairs_hook=pairs_hook,
        )
    except RecursionError as error:
        raise AnswerError(f"nested more than {DEEPEST} levels deep") from error
    except ValueError as error:
        raise AnswerError("cut off or no JSON") from error
    if _is_deeper(document, DEEPEST):
        raise AnswerError(f"nested more than {DEEPEST} levels deep")
    return document


def value_at(document: Any, path: Sequence[str]) -> Any:
    """What stands at *path*; None where a step of it is missing or null.

    Raises:
        AnswerError: A step leads through something that is no object.
    """
    for step in path:
        if document is None:
            return None
        if not isinstance(document, dict):
            raise AnswerError(f"no object at the step {step!r} of {'.'.join(path)}")
        document = document.get(step)
    return document


def rows_at(document: Any, path: Sequence[str]) -> list[Any] | None:
    """The list of rows at *path*; None where it is missing or null.

    Raises:
        AnswerError: There is something else than a list.
    """
    found = value_at(document, path)
    if found is not None and not isinstance(found, list):
        raise AnswerError(f"no list of rows at {'.'.join(path)}")
    return found


def _is_deeper(document: Any, levels: int) -> bool:
    """Whether objects and lists are nested more than *levels* deep; without recursion, for any depth."""
    level = [document] if isinstance(document, dict | list) else []
    for _ in range(levels):
        inner = (value for one in level for value in (one.values() if isinstance(one, dict) else one))
        level = [value for value in inner if isinstance(value, dict | list)]
    return bool(level)
