"""How bytes become rows: nothing is guessed."""

from __future__ import annotations

import codecs
from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, field_validator

from threegaps.contracts.options.base import Names, Option


def _known_encoding(name: str) -> str:
    try:
        codecs.lookup(name)
    except LookupError as error:
        raise ValueError(f"{name!r} is no encoding that is known") from error
    return name


class CsvFormat(Option):
    """Delimited lines with a header."""

    kind: Literal["csv"]
    encoding: str
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    quoted_newlines: bool = False
    compression: Literal["none", "gzip"] = "none"

    _encoding = field_validator("encoding")(_known_encoding)


class WorkbookFormat(Option):
    """A sheet of an Excel workbook; header rows are joined by ``join``."""

    kind: Literal["xlsx"]
    sheet: NonNegativeInt = 0
    title_rows: NonNegativeInt = 0
    header_rows: PositiveInt = 1
    join: str = "/"


class JsonPagesFormat(Option):
    """Answers of a paged interface, one a line; ``rows`` is the path to an answer's list of rows."""

    kind: Literal["json_pages"]
    encoding: str = "utf-8"
    rows: Names

    _encoding = field_validator("encoding")(_known_encoding)


FileFormat = Annotated[CsvFormat | WorkbookFormat | JsonPagesFormat, Field(discriminator="kind")]
