"""Regular expressions that contracts write: one that could not run is refused when the contract is read.

Names of files and sheets are compared by Python's engine, whole columns by that of polars, which knows less.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

_TOKEN = re.compile(
    r"\\(?P<escaped>.)"
    r"|\[\^?(?P<members>\]?(?:\\.|[^\]\\])*)\]"
    r"|\(\?(?P<extension>P[=>]|[=!(>#]|<[=!]|[aiLmsux-]+)"
    r"|(?P<repeat>[*+?}]\+)"
    r"|(?P<brace>\{(?![0-9]+(?:,[0-9]*)?\}))",
    re.DOTALL,
)
# Texts of no special form: what fits any of them, or an empty text, says nothing of what it is about.
_ORDINARY = ("", "甲乙", "Abc")


def compiled(written: str) -> re.Pattern[str]:
    """What Python runs.

    Raises:
        ValueError: It is no regular expression; the reason is said.
    """
    try:
        return re.compile(written)
    except re.error as error:
        raise ValueError(f"no regular expression ({error})") from None


def fits_anything(written: str) -> bool:
    """Whether an expression fits an empty text, or one of no special form: it tells no kind of text from another."""
    whole = compiled(written)
    return any(whole.fullmatch(text) for text in _ORDINARY)


def _runs(written: str) -> str:
    compiled(written)
    return written


def _runs_on_columns(written: str) -> str:
    for token in _TOKEN.finditer(written):
        problem = _unlike(token)
        if problem is not None:
            raise ValueError(f"{problem}, which columns cannot")
    return _runs(written)


def _unlike(token: re.Match[str]) -> str | None:
    """What of an expression the two engines read in different ways, or one of them not at all."""
    escaped, members, extension, repeat, brace = token.group("escaped", "members", "extension", "repeat", "brace")
    if escaped is not None and (escaped in "0ZN<>" or not escaped.isascii() or not escaped.isprintable()):
        return f"has the escape \\{escaped}"
    if extension in {"P=", "P>"} or (escaped is not None and escaped in "123456789"):
        return "refers back to a group"
    if extension is not None and extension[0] in "=!<(":
        return "looks around itself"
    if extension is not None and set(extension) & set(">#aL"):
        return f"has a group (?{extension}"
    if members is not None and re.search(r"\[|&&|--|~~|\\[bZN0]", re.sub(r"\\[\[&~-]", "", members)):
        return f"has the set [{members}], within which [, &&, -- and ~~ need a backslash"
    if repeat is not None:
        return f"repeats by {repeat}"
    return None if brace is None else "has a brace that is no number of times"


Expression = Annotated[str, AfterValidator(_runs)]
"""A regular expression for names, run by Python."""

ColumnExpression = Annotated[str, AfterValidator(_runs_on_columns)]
"""A regular expression for the texts of columns, run by polars and, to certify, by Python."""
