"""No text may hold a resident identity number where none is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, model_validator

from threegaps.rules.model import AS_TEXT, TEXT, Arguments, Columns, RuleKind, in_words
from threegaps.rules.regular_expressions import ColumnExpression
from threegaps.standards.by_value import given
from threegaps.standards.identity_in_text import holds_identity_number

if TYPE_CHECKING:
    import polars as pl


class IdentityInText(Arguments):
    """The columns that are looked through.

    Args:
        column_list: All of a feed's but those of document numbers; what is written in a column of days or amounts too.
        own_forms: By column, the declared form of its own values: digits in it are no identity number.
        exempt_columns: Columns whose codes may look like numbers by chance (15 digits have no check character).
    """

    column_list: Annotated[tuple[str, ...], Field(strict=False, min_length=1), AS_TEXT]
    own_forms: dict[str, ColumnExpression] = Field(default_factory=dict)
    exempt_columns: Annotated[tuple[str, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _exempts_what_it_reads(self) -> IdentityInText:
        unknown = [name for name in (*self.exempt_columns, *self.own_forms) if name not in self.column_list]
        if unknown:
            raise ValueError(f"exempts {unknown[0]!r}, which is not looked through")
        return self


def _unexpected(columns: Columns, of: IdentityInText) -> pl.Series:
    import polars as pl

    searched = [name for name in of.column_list if name not in of.exempt_columns]
    unexpected = pl.repeat(value=False, n=len(columns[of.column_list[0]].text), dtype=pl.Boolean, eager=True)
    for name in searched:
        found = columns[name].judge_texts(partial(_texts_found, own_form=of.own_forms.get(name)))
        if found.any():
            unexpected |= found.fill_null(value=False)
    return unexpected


def _texts_found(texts: pl.Series, own_form: str | None) -> pl.Series:
    from threegaps.standards.identity_in_text import texts_with_identity_numbers

    found = texts_with_identity_numbers(texts)
    if own_form is not None and found.any():
        found &= ~texts.str.contains(own_form)
    return found


def _condition(frame: Any, *, own_forms: Mapping[str, str] | None = None, exempt_columns: Sequence[str] = ()) -> Any:
    import re

    import pandas as pd

    forms = {f"{name}{TEXT}": re.compile(form) for name, form in (own_forms or {}).items()}
    exempt = {f"{name}{TEXT}" for name in exempt_columns}
    expected = pd.Series(True, index=frame.index, dtype=bool)
    for name in frame.columns:
        if name in exempt:
            continue
        form = forms.get(name)
        # Most columns hold few different texts, and each of them is looked through once.
        found = [text for text in frame[name].unique() if not _is_free(text, form)]
        if found:
            expected &= ~frame[name].isin(found)
    return expected


def _is_free(text: Any, own_form: Any) -> bool:
    if not given(text) or not holds_identity_number(text):
        return True
    return own_form is not None and own_form.search(text) is not None


KIND = RuleKind(
    "expect_texts_to_hold_no_identity_number",
    IdentityInText,
    "conformity",
    in_words(
        "非证件号码栏中含有居民身份证号码(已以***代替),请删去",
        "a resident identity number stands in a column that is none of document numbers (shown as ***)",
    ),
    _unexpected,
    _condition,
    must_refuse=True,
    names_column=False,
)
