"""Kinds of dirt: each with the rules that it must break, or none where it is only written in another style.

A kind changes the text of rows that were chosen by a Generator; a wrong row breaks every rule that its kind lists and
no other, and is refused for it. A right row (no rules) must be accepted after the declared normalisations. Each row
gets at most one kind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from sandbox.identifiers import resident_check_character

FULL_WIDTH = str.maketrans("0123456789.", "０１２３４５６７８９．")
EXCEL_EPOCH = pl.date(1899, 12, 30)
ABOLISHED = {
    "330105": "330103",
    "330212": "330204",
    "330213": "330283",
    "330112": "330185",
    "331083": "331021",
    "330305": "330322",
}
ZONES = {
    "330703": "金义新区",
    "330212": "宁波高新区",
    "330282": "宁波前湾新区",
    "330482": "嘉兴港区",
    "331002": "台州湾新区",
}
MISSING_WORDS = ("无", "/", "-")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of dirt.

    Args: `change` gets and returns the same columns; `eligible` picks the rows that it fits; `share` is its weight
    among the kinds; `normalisation` names what makes a right row of it; `duplicate` is for kinds that add a row:
    'exact' (the row again, or an older version of it), 'newer' (a newer version, which stands, whether it comes before
    or after) or 'conflict' (the same version with other content: nobody can tell which is right).
    """

    name: str
    rules: tuple[str, ...]
    change: Callable[[pl.DataFrame], pl.DataFrame]
    eligible: pl.Expr
    share: float = 1.0
    normalisation: str = ""
    duplicate: str = ""

    @property
    def is_wrong(self) -> bool:
        """Whether rows of this kind must be refused."""
        return bool(self.rules) and self.rules != ("uscc_check_digit",)


ANY = pl.lit(True)
RESIDENT = (pl.col("id_type") == "01") & (pl.col("resident_id").str.len_chars() == 18)


def put(**values: str | pl.Expr) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Put constants or expressions in columns."""
    expressions = {name: pl.lit(value) if isinstance(value, str) else value for name, value in values.items()}
    return lambda frame: frame.with_columns(**expressions)


def each_text(column: str, function: Callable[[str], str]) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Change a column's texts one by one (dirty rows are few)."""
    return lambda frame: frame.with_columns(
        pl.Series(column, [function(value) for value in frame[column]], dtype=pl.String)
    )


def both(*changes: Callable[[pl.DataFrame], pl.DataFrame]) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """One change after the other."""

    def change(frame: pl.DataFrame) -> pl.DataFrame:
        for change in changes:
            frame = change(frame)
        return frame

    return change


def wrong_check(document: str) -> str:
    """A resident ID whose check character is another."""
    right = resident_check_character(document)
    return document[:17] + ("1" if right != "1" else "2")


def scientific(document: str) -> str:
    """A resident ID that a spreadsheet took for a number."""
    return f"{document[0]}.{document[1:15]}E+17"


def fifteen(document: str) -> str:
    """A resident ID as it was written before 1999."""
    return document[:6] + document[8:17]


def flip_last(code: str) -> str:
    """A code with another last character."""
    return code[:-1] + ("1" if code[-1] != "1" else "2")


def restyle(column: str, style: str) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """A date text (either plain style) in another declared style; 'serial' is Excel's day number."""

    def change(frame: pl.DataFrame) -> pl.DataFrame:
        parsed = pl.col(column).str.replace_all("-", "").str.to_date("%Y%m%d", strict=False)
        if style == "serial":
            text = (parsed - EXCEL_EPOCH).dt.total_days().cast(pl.String)
        elif style == "slash":
            text = pl.format("{}/{}/{}", parsed.dt.year(), parsed.dt.month(), parsed.dt.day())
        else:
            text = parsed.dt.strftime(style)
        return frame.with_columns(text.fill_null(pl.col(column)).alias(column))

    return change


def full_width(column: str) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Digits as they are typed in a line of Chinese."""
    return each_text(column, lambda text: text.translate(FULL_WIDTH))


def filled(column: str) -> pl.Expr:
    """Rows where something stands in the column."""
    return pl.col(column) != ""


def identity_kinds() -> list[Kind]:
    """Kinds of every feed with resident IDs."""
    modern = (
        RESIDENT & (pl.col("resident_id").str.slice(6, 2) == "19") & pl.col("resident_id").str.starts_with("339900")
    )
    return [
        Kind("bad_check_digit", ("resident_id_check_digit",), each_text("resident_id", wrong_check), RESIDENT, 2),
        Kind("scientific_notation", ("resident_id_precision_lost",), each_text("resident_id", scientific), RESIDENT),
        Kind("id_missing", ("resident_id_required",), put(resident_id=""), ANY),
        Kind("fifteen_digits", (), each_text("resident_id", fifteen), modern, 1, "id_15_to_18"),
        Kind(
            "lower_case_x",
            (),
            each_text("resident_id", str.lower),
            RESIDENT & pl.col("resident_id").str.ends_with("X"),
            1,
            "id_x",
        ),
        Kind("apostrophe", (), each_text("resident_id", lambda text: "'" + text), RESIDENT, 0.5, "leading_apostrophe"),
    ]


def county_kinds(column: str) -> list[Kind]:
    """Kinds for a county column: codes that resolve, and codes that do not."""
    return [
        Kind(f"{column}_split", (f"{column}_valid",), put(**{column: "330104"}), filled(column)),
        Kind(f"{column}_unknown", (f"{column}_valid",), put(**{column: "339999"}), filled(column)),
        Kind(
            f"{column}_abolished", (), put(**{column: pl.col(column).replace(ABOLISHED)}),
            pl.col(column).is_in(list(ABOLISHED)), 1.5, "abolished_county",
        ),
        Kind(
            f"{column}_zone", (), put(**{column: pl.col(column).replace(ZONES)}),
            pl.col(column).is_in(list(ZONES)), 1, "functional_zone",
        ),
    ]  # fmt: skip


def outside_kinds(column: str) -> list[Kind]:
    """Kinds for a county column that takes other provinces: a code of no province of GB/T 2260."""
    return [Kind(f"{column}_no_province", (f"{column}_valid",), put(**{column: "991522"}), filled(column))]


def date_kinds(column: str) -> list[Kind]:
    """Kinds for a required date: one that does not exist, and the styles that are declared."""
    return [
        Kind(f"{column}_bad_date", (f"{column}_type",), put(**{column: "2025-02-30"}), filled(column)),
        Kind(f"{column}_slash", (), restyle(column, "slash"), filled(column), 1, "date_style"),
        Kind(f"{column}_plain", (), restyle(column, "%Y%m%d"), filled(column), 1, "date_style"),
        Kind(f"{column}_dashes", (), restyle(column, "%Y-%m-%d"), filled(column), 1, "date_style"),
        Kind(f"{column}_serial", (), restyle(column, "serial"), filled(column), 1, "excel_serial"),
        Kind(
            f"{column}_full_width",
            (),
            full_width(column),
            filled(column),
            1,
            "full_width",
        ),
    ]


def code_kind(column: str, value: str, eligible: pl.Expr = ANY) -> Kind:
    """A code that is not on the list."""
    return Kind(f"{column}_unlisted", (f"{column}_code",), put(**{column: value}), eligible)


def required_kind(column: str) -> Kind:
    """A required value that is missing."""
    return Kind(f"{column}_missing", (f"{column}_required",), put(**{column: ""}), ANY)


def missing_word_kinds(column: str) -> list[Kind]:
    """Words for a missing value in an optional column."""
    return [
        Kind(f"{column}_word_{number}", (), put(**{column: word}), pl.col(column) == "", 1, "missing_word")
        for number, word in enumerate(MISSING_WORDS)
    ]
