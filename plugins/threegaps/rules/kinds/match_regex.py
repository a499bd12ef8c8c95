"""A text must have a form."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

from pydantic import field_validator

from threegaps.rules.model import AS_TEXT, Arguments, Columns, RuleKind, in_words

if TYPE_CHECKING:
    import polars as pl

# Known to Python's regular expressions and not to those of polars.
_LOOKS_AROUND = re.compile(r"\(\?(?:[=!]|<[=!]|>|\()|\\[1-9]")


class MatchRegex(Arguments):
    """The column, and a regular expression that both engines read in the same way."""

    column: Annotated[str, AS_TEXT]
    regex: str

    @field_validator("regex")
    @classmethod
    def _is_plain(cls, written: str) -> str:
        try:
            re.compile(written)
        except re.error as error:
            raise ValueError(f"no regular expression ({error})") from error
        if _LOOKS_AROUND.search(written):
            raise ValueError("looks around itself or refers back to a group, which columns cannot")
        return written


def _unexpected(columns: Columns, of: MatchRegex) -> pl.Series:
    return ~columns[of.column].text.str.contains(of.regex)


KIND = RuleKind(
    "expect_column_values_to_match_regex",
    MatchRegex,
    "conformity",
    in_words("{column}格式不符", "{column} does not have the form {regex}"),
    _unexpected,
)
