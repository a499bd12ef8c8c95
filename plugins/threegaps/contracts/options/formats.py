"""How bytes become rows: nothing is guessed."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, NonNegativeInt, PositiveInt, field_validator, model_validator

from threegaps.contracts.options.base import Names, Option, OptionError, Text, nearest
from threegaps.contracts.options.headers import Headers
from threegaps.contracts.options.limits import Limits
from threegaps.rules.regular_expressions import Expression, compiled, fits_anything

_ENCODINGS = ("utf-8", "utf-8-sig", "gb18030", "gbk", "gb2312", "big5", "utf-16", "utf-16-le", "utf-16-be")
"""What departments write their files in; what else Python knows is no Chinese text, or no text at all."""


def _known_encoding(name: str) -> str:
    try:
        known = codecs.lookup(name).name
    except LookupError:
        known = name
    if known not in _ENCODINGS:
        raise ValueError(f"{name!r} is no encoding of Chinese text{nearest(name, _ENCODINGS)}")
    return name


def _no_wide_units(name: str) -> str:
    if codecs.lookup(name).name.startswith("utf-16"):
        raise ValueError(f"{name!r} cannot be cut at line ends, where answers are; JSON comes in utf-8")
    return name


Encoding = Annotated[str, AfterValidator(_known_encoding)]
Delimiter = Annotated[str, Field(min_length=1, max_length=1, pattern=r'^[^"\r\n\x1a]$')]
Compression = Literal["none", "gzip"]
MergedData = Literal["refuse", "repeat"]
Origin = Literal["sheet_name", "file_name", "declared"]
"""Where a column's values come from if from no column of the file."""


class FirstSheet(Option):
    """The first sheet that is not hidden."""

    by: Literal["first"]


class NamedSheets(Option):
    """Sheets by their names; each of them must be there."""

    by: Literal["names"]
    names: Names

    @field_validator("names")
    @classmethod
    def _stand_once(cls, written: tuple[str, ...]) -> tuple[str, ...]:
        twice = [name for name in written if written.count(name) > 1]
        if twice:
            raise ValueError(f"the sheet {twice[0]!r} stands twice")
        return written


class MatchingSheets(Option):
    """Sheets whose whole names fit a regular expression; at least one must be there."""

    by: Literal["pattern"]
    pattern: Expression


class AllSheets(Option):
    """Every sheet that holds anything, hidden ones too, except those declared to carry no rows.

    Args:
        each_county: Whether every county in force must have a sheet of its name, blank or with its title alone where
            there is nothing to list: where one is missing nothing of the workbook is loaded, for nobody knows what it
            would have listed.
    """

    by: Literal["all"]
    each_county: bool = False


Sheets = Annotated[FirstSheet | NamedSheets | MatchingSheets | AllSheets, Field(discriminator="by")]


class _SheetsPassedOver(Option):
    """Sheets that this feed does not read, by their names or by a regular expression for whole names."""

    names: Annotated[tuple[Text, ...], Field(strict=False)] = ()
    pattern: Expression | None = None

    @field_validator("pattern")
    @classmethod
    def _leaves_some(cls, written: str | None) -> str | None:
        if written is not None and fits_anything(written):
            raise ValueError("fits any name: no sheet would be read")
        return written

    def has(self, name: str) -> bool:
        """Whether the sheet of this name is one of them."""
        return name in self.names or (self.pattern is not None and re.fullmatch(self.pattern, name) is not None)


class SheetsWithoutRows(_SheetsPassedOver):
    """Sheets that carry no rows, by their names or by a regular expression for whole names: guides, drop-down lists."""


class SheetsOfAnotherFeed(_SheetsPassedOver):
    """Sheets of the same workbook that another contract reads.

    Args:
        feed: Whose they are; its ``sheets`` must say the same (`threegaps.contracts.workbooks`).
    """

    feed: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*/[a-z][a-z0-9_]*$")]


class _Layout(Option):
    """What one layout of a feed has of its own; what it does not say, it shares with the others.

    Args:
        name: Its name, for messages.
        files: A regular expression for the whole names of the files that have it.
        headers: What these files call columns, by canonical name; other columns are called as the columns say.
        without: Columns that these files do not have.
        values: Columns that stand in no file, with what they are for all rows of these: the unit of an amount.
        title_rows: Lines or rows before the header.
    """

    name: Text
    files: Expression
    headers: Annotated[Mapping[str, Headers], Field(default_factory=dict)]
    without: Annotated[tuple[str, ...], Field(strict=False)] = ()
    values: Annotated[Mapping[str, str], Field(default_factory=dict)]
    title_rows: NonNegativeInt | None = None


class CsvLayout(_Layout):
    """A layout of delimited lines."""

    encoding: Encoding | None = None
    delimiter: Delimiter | None = None
    quoted_newlines: bool | None = None
    compression: Compression | None = None


class WorkbookLayout(_Layout):
    """A layout of workbooks."""

    sheets: Sheets | None = None
    sheets_without_rows: SheetsWithoutRows | None = None
    header_rows: PositiveInt | None = None
    join: str | None = None
    merged_data: MergedData | None = None


class _FileFormat(Option):
    """What every format of files has.

    Args:
        values: Columns that stand in no file, with what they are for every row: the unit of an amount.
        file_name: A regular expression for whole file names, each named group of which is a column's value.
        title_rows: Lines or rows before the header.
        limits: How much a file may hold.
    """

    values: Annotated[Mapping[str, str], Field(default_factory=dict)]
    file_name: Expression | None = None
    title_rows: NonNegativeInt = 0
    limits: Limits = Limits()

    @property
    def file_name_columns(self) -> frozenset[str]:
        """The columns whose values stand in the file's name."""
        return frozenset(compiled(self.file_name).groupindex) if self.file_name else frozenset()


class CsvFormat(_FileFormat):
    """Delimited lines with a header."""

    kind: Literal["csv"]
    encoding: Encoding
    delimiter: Delimiter = ","
    quoted_newlines: bool = False
    compression: Compression = "none"
    layouts: Annotated[tuple[CsvLayout, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _layouts_differ(self) -> CsvFormat:
        _refuse_twice(layout.name for layout in self.layouts)
        return self


class WorkbookFormat(_FileFormat):
    """Sheets of an Excel workbook; header rows are joined by ``join``.

    Args:
        sheets: Which sheets hold rows; one that holds any and is not read stops the batch.
        sheets_without_rows: Sheets that are known to carry none.
        sheets_of_other_feeds: Sheets whose rows other contracts read: a feed is one table, a workbook may hold several.
        merged_data: What several rows under one merged cell mean: nothing that is sure, so that they are refused, or
            its value for each of them.
    """

    kind: Literal["xlsx"]
    sheets: Sheets = FirstSheet(by="first")
    sheets_without_rows: SheetsWithoutRows = SheetsWithoutRows()
    sheets_of_other_feeds: Annotated[tuple[SheetsOfAnotherFeed, ...], Field(strict=False)] = ()
    header_rows: PositiveInt = 1
    join: str = "/"
    merged_data: MergedData = "refuse"
    layouts: Annotated[tuple[WorkbookLayout, ...], Field(strict=False)] = ()

    def is_claimed_twice(self, name: str) -> bool:
        """Whether the name fits the sheets of several feeds, each of which might leave it to the other."""
        own = (
            name in self.sheets.names
            if isinstance(self.sheets, NamedSheets)
            else isinstance(self.sheets, MatchingSheets) and re.fullmatch(self.sheets.pattern, name) is not None
        )
        return own + sum(sheets.has(name) for sheets in self.sheets_of_other_feeds) > 1

    def passes_over(self, name: str) -> bool:
        """Whether the sheet of this name is not this feed's to read: it carries no rows, or another feed's."""
        return any(sheets.has(name) for sheets in (self.sheets_without_rows, *self.sheets_of_other_feeds))

    @model_validator(mode="after")
    def _layouts_differ(self) -> WorkbookFormat:
        _refuse_twice(layout.name for layout in self.layouts)
        return self

    @model_validator(mode="after")
    def _sheets_have_rows(self) -> WorkbookFormat:
        for others in self.sheets_of_other_feeds:
            _refuse_read_and_passed_over(self.sheets, others, "sheets", "sheetsOfOtherFeeds")
        _refuse_read_and_passed_over(self.sheets, self.sheets_without_rows, "sheets", "sheetsWithoutRows")
        for index, layout in enumerate(self.layouts):
            if layout.sheets is not None or layout.sheets_without_rows is not None:
                _refuse_read_and_passed_over(
                    layout.sheets or self.sheets,
                    layout.sheets_without_rows or self.sheets_without_rows,
                    f"layouts/{index}/sheets",
                    "sheetsWithoutRows",
                )
        return self


class JsonPagesFormat(Option):
    """Answers of a paged interface, one a line; ``rows`` is the path to an answer's list of rows.

    Args:
        missing_keys: What a record without one of the columns' keys is: refused, or one without a value.
        limits: How much an answer may hold.
    """

    kind: Literal["json_pages"]
    encoding: Annotated[Encoding, AfterValidator(_no_wide_units)] = "utf-8"
    rows: Names
    missing_keys: Literal["refuse", "no_value"] = "refuse"
    limits: Limits = Limits()


FileFormat = Annotated[CsvFormat | WorkbookFormat | JsonPagesFormat, Field(discriminator="kind")]


def layouts_of(declared: FileFormat) -> tuple[CsvLayout | WorkbookLayout, ...]:
    """The layouts that a format names; none where all its files look alike."""
    return () if isinstance(declared, JsonPagesFormat) else declared.layouts


def _refuse_read_and_passed_over(sheets: Sheets, passed_over: _SheetsPassedOver, key: str, option: str) -> None:
    """A sheet that is read is none that *option* passes over."""
    both = [name for name in sheets.names if passed_over.has(name)] if isinstance(sheets, NamedSheets) else []
    if both:
        raise OptionError(key, f"the sheet {both[0]!r} is read for rows, and stands in {option} too")
    if isinstance(sheets, MatchingSheets) and sheets.pattern == passed_over.pattern:
        raise OptionError(key, f"{option} has the same pattern, so that no sheet is read")


def _refuse_twice(names: Iterable[str]) -> None:
    listed = list(names)
    twice = next((name for name in listed if listed.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"the layout {twice!r} stands twice")
