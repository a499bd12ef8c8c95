"""Dirt on purpose: each kind with the rules that it must break, or none where it is only written in another style.

A kind changes the text of rows that were chosen by a Generator; a wrong row breaks every rule that its kind
lists and no other, and is
refused for it. A right row (no rules) must be accepted after the declared normalisations. Each row gets at most
one kind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
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
    among the kinds;
    `normalisation` names what makes a right row of it; `duplicate` is 'exact' or 'conflict' for kinds that add a row.
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
RESIDENT = pl.col("id_type") == "01"


def _set(**values: str | pl.Expr) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Put constants or expressions in columns."""
    expressions = {name: pl.lit(value) if isinstance(value, str) else value for name, value in values.items()}
    return lambda frame: frame.with_columns(**expressions)


def _map(column: str, function: Callable[[str], str]) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Change a column's texts one by one (dirty rows are few)."""
    return lambda frame: frame.with_columns(
        pl.Series(column, [function(value) for value in frame[column]], dtype=pl.String)
    )


def _both(*changes: Callable[[pl.DataFrame], pl.DataFrame]) -> Callable[[pl.DataFrame], pl.DataFrame]:
    def change(frame: pl.DataFrame) -> pl.DataFrame:
        for one in changes:
            frame = one(frame)
        return frame

    return change


def _wrong_check(document: str) -> str:
    right = resident_check_character(document)
    return document[:17] + ("1" if right != "1" else "2")


def _scientific(document: str) -> str:
    return f"{document[0]}.{document[1:15]}E+17"


def _fifteen(document: str) -> str:
    return document[:6] + document[8:17]


def _flip_last(code: str) -> str:
    return code[:-1] + ("1" if code[-1] != "1" else "2")


def _restyle(column: str, style: str) -> Callable[[pl.DataFrame], pl.DataFrame]:
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


def _filled(column: str) -> pl.Expr:
    return pl.col(column) != ""


def identity_kinds() -> list[Kind]:
    """Kinds of every feed with resident IDs."""
    modern = (
        RESIDENT & (pl.col("resident_id").str.slice(6, 2) == "19") & pl.col("resident_id").str.starts_with("339900")
    )
    return [
        Kind("bad_check_digit", ("resident_id_check_digit",), _map("resident_id", _wrong_check), RESIDENT, 2),
        Kind("scientific_notation", ("resident_id_precision_lost",), _map("resident_id", _scientific), RESIDENT),
        Kind("id_missing", ("resident_id_required",), _set(resident_id=""), ANY),
        Kind("fifteen_digits", (), _map("resident_id", _fifteen), modern, 1, "id_15_to_18"),
        Kind(
            "lower_case_x",
            (),
            _map("resident_id", str.lower),
            RESIDENT & pl.col("resident_id").str.ends_with("X"),
            1,
            "id_x",
        ),
        Kind("apostrophe", (), _map("resident_id", lambda text: "'" + text), RESIDENT, 0.5, "leading_apostrophe"),
    ]


def county_kinds(column: str) -> list[Kind]:
    """Kinds for a county column: codes that resolve, and codes that do not."""
    return [
        Kind(f"{column}_split", (f"{column}_valid",), _set(**{column: "330104"}), _filled(column)),
        Kind(f"{column}_unknown", (f"{column}_valid",), _set(**{column: "339999"}), _filled(column)),
        Kind(
            f"{column}_abolished", (), _set(**{column: pl.col(column).replace(ABOLISHED)}),
            pl.col(column).is_in(list(ABOLISHED)), 1.5, "abolished_county",
        ),
        Kind(
            f"{column}_zone", (), _set(**{column: pl.col(column).replace(ZONES)}),
            pl.col(column).is_in(list(ZONES)), 1, "functional_zone",
        ),
    ]  # fmt: skip


def date_kinds(column: str) -> list[Kind]:
    """Kinds for a required date: one that does not exist, and the styles that are declared."""
    return [
        Kind(f"{column}_bad_date", (f"{column}_type",), _set(**{column: "2025-02-30"}), _filled(column)),
        Kind(f"{column}_slash", (), _restyle(column, "slash"), _filled(column), 1, "date_style"),
        Kind(f"{column}_plain", (), _restyle(column, "%Y%m%d"), _filled(column), 1, "date_style"),
        Kind(f"{column}_dashes", (), _restyle(column, "%Y-%m-%d"), _filled(column), 1, "date_style"),
        Kind(f"{column}_serial", (), _restyle(column, "serial"), _filled(column), 1, "excel_serial"),
        Kind(
            f"{column}_full_width",
            (),
            _map(column, lambda t: t.translate(FULL_WIDTH)),
            _filled(column),
            1,
            "full_width",
        ),
    ]


def code_kind(column: str, value: str, eligible: pl.Expr = ANY) -> Kind:
    """A code that is not on the list."""
    return Kind(f"{column}_unlisted", (f"{column}_code",), _set(**{column: value}), eligible)


def required_kind(column: str) -> Kind:
    """A required value that is missing."""
    return Kind(f"{column}_missing", (f"{column}_required",), _set(**{column: ""}), ANY)


def missing_word_kinds(column: str) -> list[Kind]:
    """Words for a missing value in an optional column."""
    return [
        Kind(f"{column}_word_{number}", (), _set(**{column: word}), pl.col(column) == "", 0.7, "missing_word")
        for number, word in enumerate(MISSING_WORDS)
    ]


def training_kinds() -> list[Kind]:
    """Kinds of hrss/training_enrollments. Wrong ones only for records with one ended version (`_single`)."""
    completed = (pl.col("status") == "02") & _filled("completion_date")
    return [
        *identity_kinds(),
        *county_kinds("residence_county_code"),
        *date_kinds("start_date"),
        required_kind("residence_county_code"),
        code_kind("provider_type", "07"),
        code_kind("focus_sector", "11"),
        Kind("priority_group_unlisted", ("priority_groups_code",), _set(priority_groups="02,09"), ANY),
        Kind("ends_before_start", ("dates_in_order",), _set(completion_date="2024-06-01"), completed),
        Kind("completed_without_date", ("completion_required",), _set(completion_date=""), completed),
        Kind("hours_out_of_range", ("duration_hours_range",), _set(duration_hours="5000"), ANY),
        Kind("hours_no_number", ("duration_hours_type",), _set(duration_hours="约40"), ANY),
        Kind("hours_full_width", (), _map("duration_hours", lambda t: t.translate(FULL_WIDTH)), ANY, 1, "full_width"),
        Kind("occupation_pattern", ("occupation_code_pattern",), _set(occupation_code="6-18-1"), ANY),
        *missing_word_kinds("subsidy_cny"),
        Kind(
            "two_faults", ("provider_type_code", "resident_id_check_digit"),
            _both(_map("resident_id", _wrong_check), _set(provider_type="07")), RESIDENT, 2,
        ),
    ]  # fmt: skip


def employment_kinds() -> list[Kind]:
    """Kinds of hrss/employment_registrations."""
    ended = _filled("end_date")
    return [
        *identity_kinds(),
        *county_kinds("work_county_code"),
        *county_kinds("residence_county_code"),
        *date_kinds("start_date"),
        required_kind("employer_code"),
        required_kind("start_date"),
        code_kind("industry_code", "Z"),
        code_kind("residence_kind", "3"),
        Kind("ends_before_start", ("dates_in_order",), _set(end_date="20180101"), ANY),
        Kind("end_bad_date", ("end_date_type",), _set(end_date="20251301"), ended),
        Kind("uscc_check", ("uscc_check_digit",), _map("uscc", _flip_last), ANY),
        *missing_word_kinds("end_date"),
        Kind(
            "two_faults", ("industry_code_code", "work_county_code_valid"),
            _set(industry_code="Z", work_county_code="330104"), ANY, 2,
        ),
        Kind("exact_duplicate", (), _set(), ANY, 2, "", "exact"),
        Kind("older_version", (), _set(updated_at="2018-12-31 08:00:00"), ANY, 1, "", "exact"),
    ]  # fmt: skip


def certificate_kinds() -> list[Kind]:
    """Kinds of hrss/certificates."""
    one, two, three = (pl.col("certificate_type") == kind for kind in ("01", "02", "03"))
    number = "certificate_number"
    return [
        *identity_kinds(),
        *county_kinds("issue_county_code"),
        *date_kinds("issued_on"),
        required_kind("issued_on"),
        required_kind(number),
        Kind("number_first_letter", (f"{number}_pattern",), _map(number, lambda t: "K" + t[1:]), one),
        Kind("number_too_short", (f"{number}_pattern",), _map(number, lambda t: t[:-1]), two),
        Kind("number_other_year", (f"{number}_year",), _map(number, lambda t: t[:13] + "09" + t[15:]), one),
        Kind(
            "number_other_level", (f"{number}_level",),
            _map(number, lambda t: t[:15] + ("4" if t[15] != "4" else "5") + t[16:]), one,
        ),
        Kind("number_other_province", (f"{number}_province",), _map(number, lambda t: t[:5] + "32" + t[7:]), one),
        Kind("level_missing", ("level_code_for_type",), _set(level_code=""), two),
        Kind("level_for_special", ("level_code_for_type",), _set(level_code="3"), three),
        Kind("valid_before_issue", ("dates_in_order",), _set(valid_until="2014-01-01"), ANY),
        Kind("valid_bad_date", ("valid_until_type",), _set(valid_until="2030-06-31"), ANY),
        Kind("occupation_pattern", ("occupation_code_pattern",), _set(occupation_code="6-18-1"), ANY),
        *missing_word_kinds("valid_until"),
        Kind(
            "two_faults", (f"{number}_pattern", "resident_id_check_digit"),
            _both(_map("resident_id", _wrong_check), _map(number, lambda t: "K" + t[1:])), RESIDENT & one, 2,
        ),
        Kind("exact_duplicate", (), _set(), ANY, 2, "", "exact"),
    ]  # fmt: skip


def wage_kinds() -> list[Kind]:
    """Kinds of hrss/wage_records."""
    yuan = pl.col("unit") == "元"
    return [
        *identity_kinds(),
        *county_kinds("work_county_code"),
        *date_kinds("recorded_on"),
        required_kind("employer_code"),
        required_kind("wage_cny_month"),
        code_kind("scheme", "999"),
        code_kind("payment_type", "05"),
        code_kind("industry_code", "Z"),
        Kind("month_missing_in_calendar", ("wage_month_type",), _set(wage_month="202513"), ANY),
        Kind("ten_thousands_said_yuan", ("wage_unit_slip",), _set(wage_cny_month="0.72"), yuan, 2),
        # 7200 万元 is both a slip of the unit and beyond the bound once it is normalised.
        Kind(
            "yuan_said_ten_thousands", ("wage_cny_month_range", "wage_unit_slip"),
            _set(wage_cny_month="7200", unit="万元"), yuan,
        ),
        Kind("wage_beyond_bound", ("wage_cny_month_range",), _set(wage_cny_month="250000"), yuan),
        Kind("wage_no_number", ("wage_cny_month_type",), _set(wage_cny_month="待核"), ANY),
        Kind("wage_full_width", (), _map("wage_cny_month", lambda t: t.translate(FULL_WIDTH)), ANY, 1, "full_width"),
        Kind("too_many_columns", ("row_shape",), _set(operation="1,多余"), ANY),
        Kind("uscc_check", ("uscc_check_digit",), _map("uscc", _flip_last), ANY),
        Kind(
            "two_faults", ("resident_id_check_digit", "scheme_code"),
            _both(_map("resident_id", _wrong_check), _set(scheme="999")), RESIDENT, 2,
        ),
        Kind("exact_duplicate", (), _set(), ANY, 2, "", "exact"),
        Kind(
            "conflicting_duplicate", ("key_unique",),
            _set(wage_cny_month="8888.88", unit="元"), yuan, 2, "", "conflict",
        ),
    ]  # fmt: skip


def roster_kinds() -> list[Kind]:
    """Kinds of hrss/skill_enterprises."""
    return [
        *county_kinds("county_code"),
        *date_kinds("recognised_on"),
        required_kind("uscc"),
        code_kind("status", "认定"),
        Kind("skilled_beyond_all", ("skilled_within_employees",), _set(skilled_employees="999999"), ANY, 2),
        Kind("employees_no_number", ("employees_type",), _set(employees="约300"), ANY),
        Kind("employees_full_width", (), _map("employees", lambda t: t.translate(FULL_WIDTH)), ANY, 1, "full_width"),
        Kind("uscc_check", ("uscc_check_digit",), _map("uscc", _flip_last), ANY),
        Kind("exact_duplicate", (), _set(), ANY, 1, "", "exact"),
        Kind("conflicting_duplicate", ("key_unique",), _set(employees="77777"), ANY, 1, "", "conflict"),
    ]


def spoil(
    frame: pl.DataFrame, kinds: list[Kind], rate: float, rng: np.random.Generator, wrong: pl.Expr = ANY
) -> pl.DataFrame:
    """`frame` with about `rate` of its rows dirty, columns `_kind` and `_rules` added, duplicates after the row
    that they double.

    Args: `wrong` limits which rows may become wrong (a refused row must have no other effect). The order of rows is
    kept. Of two rows that contradict each other both are wrong: nobody can tell which one is right.
    """
    size = len(frame)
    frame = frame.with_columns(_kind=pl.lit(""), _rules=pl.lit(""), _order=pl.int_range(size).cast(pl.Float64))
    rows = rng.permutation(size)[: round(size * rate)]
    share = np.array([kind.share for kind in kinds])
    chosen = rng.choice(len(kinds), len(rows), p=share / share.sum())
    target = pl.DataFrame({"_order": rows.astype(np.float64), "_number": chosen})
    dirty = frame.join(target, on="_order", how="inner", maintain_order="left")
    changed: list[pl.DataFrame] = []
    added: list[pl.DataFrame] = []
    for number, kind in enumerate(kinds):
        fits = kind.eligible & wrong if kind.is_wrong and not kind.duplicate else kind.eligible
        part = dirty.filter((pl.col("_number") == number) & fits).drop("_number")
        if part.is_empty():
            continue
        marks = {"_kind": pl.lit(kind.name), "_rules": pl.lit(",".join(kind.rules))}
        result = kind.change(part).with_columns(**marks)
        if kind.duplicate:
            added.append(result.with_columns(pl.col("_order") + 0.5))
            if kind.duplicate == "conflict":
                changed.append(part.with_columns(**marks))
        else:
            changed.append(result)
    if changed:
        spoiled = pl.concat(changed)
        frame = pl.concat([frame.join(spoiled, on="_order", how="anti"), spoiled])
    return pl.concat([frame, *added]).sort("_order").drop("_order")


def refused() -> pl.Expr:
    """Rows of a spoiled frame that must be refused."""
    return (pl.col("_rules") != "") & (pl.col("_rules") != "uscc_check_digit")
