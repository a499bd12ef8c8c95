"""What a department calls a column, and when."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from threegaps.contracts.options.base import Option


class HeaderName(Option):
    """What a department calls a column, and when.

    Args:
        header: The name in its files or answers; levels of a header of several rows are joined.
        valid_from: The first day of deliveries that have it; always before where it is left out.
        valid_to: The last one.
    """

    header: Annotated[str, Field(min_length=1)]
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> HeaderName:
        if self.valid_from is not None and self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError("ends before it begins")
        return self


def _listed(written: Any) -> Any:
    if isinstance(written, str):
        return [{"header": written}]
    if not isinstance(written, list):
        return written
    return [{"header": entry} if isinstance(entry, str) else entry for entry in written]


Headers = Annotated[tuple[HeaderName, ...], BeforeValidator(_listed), Field(strict=False, min_length=1)]
"""A name, or several, each with the days for which it holds where that is not always."""
