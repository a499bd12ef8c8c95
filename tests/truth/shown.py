"""What a reader must see of each true figure, worked out by the rules of docs/disclosure.md and not by the SQL."""

from __future__ import annotations

from collections import Counter
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

import polars as pl
import psycopg
from psycopg.rows import dict_row

from tests.truth.exact import KEY

# public rosters and published figures: as they are
UNPROTECTED = frozenset({
    "M01-6", "M02-1", "M02-3", "M02-4", "M03-3", "M03-4", "M03-5", "M05-2", "M05-4", "M05-5", "M06-4", "M08-1", "M09-1",
    "M09-3", "M09-4", "M11-1", "M11-4", "M12-1", "M13-2", "M14-5", "M18-3", "M18-4", "M19-3", "M21-4", "M21-5", "G1-1",
    "M12-2a", "G2-4", "G2-5", "W-1", "P-2", "P-2a", "P-2b", "P-5", "P-6", "P-9",
})  # fmt: skip
COUNTS = frozenset(
    {
        "M01-3",
        "M04-1",
        "M04-3",
        "M07-3",
        "M07-4",
        "M11-3",
        "M12-3",
        "M13-1",
        "M13-3",
        "M17-3",
        "M18-2",
        "M19-1",
        "M20-1",
        "M20-2",
        "P-3",
        "P-4",
    }
)
MEANS = frozenset({"M05-3", "M12-4"})
SHARES = frozenset({
    "M01-1", "M01-2", "M01-4", "M01-5", "M02-2", "M03-1", "M03-2", "M04-2", "M05-1", "M06-1", "M06-2", "M06-3", "M07-1",
    "M07-2", "M11-2", "M18-1", "M19-2", "M21-1", "M21-2", "M21-3", "O-1", "O-2", "P-7", "M05-3a", "M14-2a",
    "G1-4a", "G3-3a", "G3-4a",
})  # fmt: skip
PER_TEN_THOUSAND = frozenset({"M06-1", "M18-1", "M21-3"})
RATIOS_OF_SHARES = frozenset({"G1-2", "G1-3", "G2-2"})
MEDIANS = frozenset({"M14-4", "O-3"})
RATIOS_OF_MEDIANS = frozenset({"M14-2", "G3-1"})
# how many employers stand behind a figure, and how large the largest is, is not in the truth
COUNTS_OF_EMPLOYERS = frozenset({"M09-2", "M10-1", "M10-2", "M15-2", "M15-3", "M16-2a", "P-5a"})
SHARES_OF_EMPLOYERS = frozenset({"M08-2", "M14-1", "M15-1", "M16-1"})
AMOUNTS_OF_EMPLOYERS = frozenset({"M17-1"})
MEANS_OF_EMPLOYERS = frozenset({"M12-2"})
QUOTIENTS_OF_EMPLOYERS = frozenset({"M16-3", "M17-1a"})
# two amounts that persons stand behind
RATIOS_OF_AMOUNTS = frozenset({"G3-4b"})
OF_EMPLOYERS = COUNTS_OF_EMPLOYERS.union(
    SHARES_OF_EMPLOYERS, AMOUNTS_OF_EMPLOYERS, MEANS_OF_EMPLOYERS, QUOTIENTS_OF_EMPLOYERS
)
# Indices and ratios of extremes, with the multiple that each is shown to; and differences of growth rates.
INDICES = {"G2-1": Decimal("0.01"), "G2-3": Decimal("0.0001"), "G3-2": Decimal("0.001")}
GROWTH_DIFFERENCES = frozenset({"M14-3", "M16-2", "G1-4", "G3-3", "G3-4"})
KINDS = (
    UNPROTECTED, COUNTS, MEANS, SHARES, RATIOS_OF_SHARES, MEDIANS, RATIOS_OF_MEDIANS, OF_EMPLOYERS, frozenset(INDICES),
    GROWTH_DIFFERENCES, RATIOS_OF_AMOUNTS,
)  # fmt: skip
# Records are counted there, and one person may have several: the persons of a side are not in the truth.
SHARES_OF_RECORDS = frozenset({
    "M01-5", "M02-2", "M03-1", "M03-2", "M05-1", "M05-3a", "M06-2", "M07-1", "M07-2", "M18-1", "M19-2", "G3-3a",
})  # fmt: skip
# Of contribution records a person has one a month with each employer, of all others hardly more than two.
MOST_RECORDS_OF_A_PERSON = {"G3-3a": 24}
FEWEST, FEWEST_IN_A_MEDIAN, FEWEST_IN_A_SHARE, FEWEST_BEHIND_AN_INDEX = 10, 20, 100, 100
SIDES = ("numerator", "denominator", "comparison_numerator", "comparison_denominator")

Cell = dict[str, Any]
_SERVED = """
select cell.indicator_code, cell.area_code, cell.area_level, cell.period_type, cell.period_end, cell.breakdown,
    cell.breakdown_value, shown.numerator, shown.denominator, shown.value, shown.value_status, shown.rounding
from {exact} as cell
left join {shown} as shown
    using (indicator_code, area_code, period_type, period_end, breakdown, breakdown_value)
"""


class Figures(NamedTuple):
    """What a cell shows; of a side that is not shown, None."""

    numerator: Decimal | None
    denominator: Decimal | None
    value: Decimal


def withheld(cell: Cell, *, is_below_hidden: bool) -> bool:
    """Whether a cell is served to nobody, however large: by the rules of docs/disclosure.md.

    Args:
        cell: An exact cell.
        is_below_hidden: Whether the total of its area and period is hidden.
    """
    is_part = cell["breakdown"] != "total"
    if cell["indicator_code"] in UNPROTECTED:
        return False
    if is_part and is_below_hidden:
        return True
    if cell["area_level"] == "group":
        return is_part and cell["area_code"] not in {"G-MI", "G-MI-REST"}
    if cell["area_level"] == "province":
        return False
    within_a_quarter = cell["period_type"] == "ytd" and cell["period_end"].month % 3 != 0
    return within_a_quarter or (is_part and cell["period_type"] == "month")


def is_hidden(truth: Cell) -> bool | None:
    """Whether a figure is too small to be shown; None where that depends on persons whom the truth does not count."""
    code, persons = truth["indicator_code"], truth["n_persons"]
    if code in UNPROTECTED:
        return False
    if code == "M16-2":
        return True if persons < FEWEST_IN_A_MEDIAN else None
    if code in MEDIANS | RATIOS_OF_MEDIANS | GROWTH_DIFFERENCES:
        return bool(persons < FEWEST_IN_A_MEDIAN)
    if code in QUOTIENTS_OF_EMPLOYERS:
        return None
    if code in AMOUNTS_OF_EMPLOYERS:
        return True if persons < FEWEST else None
    if code in RATIOS_OF_AMOUNTS:
        return bool(persons < FEWEST)
    if code in COUNTS_OF_EMPLOYERS:
        return True if truth["numerator"] < FEWEST else None
    if code in INDICES:
        return bool(persons < FEWEST_BEHIND_AN_INDEX)
    if code in COUNTS:
        # a larger area adds up the persons of its counties, of whom one may be in two
        return True if truth["numerator"] < FEWEST else None if persons < FEWEST else False
    if code in MEANS | MEANS_OF_EMPLOYERS:
        # a person may have several records
        is_unsure = code not in MEANS or (persons is not None and persons < FEWEST)
        return True if truth["denominator"] < FEWEST else None if is_unsure else False
    pairs = [(truth["numerator"], truth["denominator"])]
    if code in RATIOS_OF_SHARES:
        pairs.append((truth["comparison_numerator"], truth["comparison_denominator"]))
    smallest = min(count for part, whole in pairs for count in (part, whole - part))
    if min(whole for _, whole in pairs) < FEWEST_IN_A_SHARE or smallest < FEWEST:
        return True
    if code in SHARES_OF_EMPLOYERS:
        return None
    is_unsure = code in SHARES_OF_RECORDS and smallest < MOST_RECORDS_OF_A_PERSON.get(code, 2) * FEWEST
    return None if is_unsure else False


def shown(truth: Cell, *, is_exact: bool) -> Figures:
    """What stands for a true figure that is not hidden."""
    code = truth["indicator_code"]
    if code in UNPROTECTED:
        return Figures(_decimal(truth["numerator"]), _decimal(truth["denominator"]), Decimal(str(truth["value"])))
    if code in MEDIANS:
        return Figures(None, None, _to_ten_yuan(_decimal_of(truth["value"])))
    if code in INDICES:
        return Figures(None, None, _decimal_of(truth["value"]).quantize(INDICES[code], ROUND_HALF_UP))
    if code in GROWTH_DIFFERENCES:
        growth, other = (_decimal_of(truth[side]).quantize(Decimal("0.1"), ROUND_HALF_UP) for side in SIDES[:2])
        return Figures(growth, other, growth - other)
    if code in RATIOS_OF_MEDIANS:
        # their medians stand in the cell in cents
        upper, lower = (_to_ten_yuan(_decimal_of(truth[side], "0.01")) for side in SIDES[:2])
        return Figures(upper, lower, _as_far_as_known(upper / lower, (upper + 5) / (lower - 5)))
    if code in AMOUNTS_OF_EMPLOYERS:
        return Figures(None, None, _to_tens(truth["value"]))
    if code in MEANS | MEANS_OF_EMPLOYERS:
        counted = _in_tens(truth["denominator"], is_exact=is_exact)
        return Figures(None, counted, _to_ten_yuan(_decimal_of(truth["value"])))
    if code in QUOTIENTS_OF_EMPLOYERS | RATIOS_OF_AMOUNTS:
        return Figures(None, None, _decimal_of(truth["value"]).quantize(Decimal("0.1"), ROUND_HALF_UP))
    sides = [None if truth[side] is None else _in_tens(truth[side], is_exact=is_exact) for side in SIDES]
    part, whole, other_part, other_whole = sides
    if part is None:
        raise ValueError(f"{code} has a value and no numerator")
    if whole is None:
        return Figures(part, None, part)
    if other_part is None or other_whole is None:
        scale = 10_000 if code in PER_TEN_THOUSAND else 100
        value, highest = scale * part / whole, scale * (part + 5) / (whole - 5)
        return Figures(part, whole, value if is_exact else _as_far_as_known(value, highest))
    value = part * other_whole / (whole * other_part)
    highest = (part + 5) * (other_whole + 5) / ((whole - 5) * (other_part - 5))
    return Figures(
        100 * part / whole,
        100 * other_part / other_whole,
        value if is_exact else _as_far_as_known(value, highest),
    )


def shown_differences(
    connection: psycopg.Connection[Any],
    truth: pl.DataFrame,
    relations: tuple[str, str] = ("build.indicator_cell", "marts.indicator_value"),
) -> tuple[Counter[str], list[str]]:
    """How many shown figures of each indicator were compared, and what is wrong with what is served.

    Args:
        connection: To the warehouse.
        truth: The cells of `sandbox.truth`.
        relations: Where the exact cells and the served ones stand.
    """
    true = {tuple(cell[name] for name in KEY): cell for cell in truth.iter_rows(named=True)}
    exact, served = relations
    with connection.cursor(row_factory=dict_row) as cursor:
        cells = cursor.execute(_SERVED.format(exact=exact, shown=served).encode()).fetchall()
    # what cannot be known yet says so, hidden or not; that it is hidden shows in its rounding
    hidden = {
        _place(cell) for cell in cells if cell["breakdown"] == "total" and cell["value_status"] and not cell["rounding"]
    }
    compared: Counter[str] = Counter()
    faults = []
    for cell in cells:
        known = true.get(tuple(cell[name] for name in KEY))
        fault = _fault(cell, known, is_below_hidden=_place(cell) in hidden)
        if fault:
            faults.append(f"{[str(cell[name]) for name in KEY]}: {fault}")
        elif cell["value"] is not None and known is not None:
            compared[cell["indicator_code"]] += 1
    return compared, faults


def _fault(cell: Cell, truth: Cell | None, *, is_below_hidden: bool) -> str | None:
    is_served = cell["value_status"] is not None
    if is_served == withheld(cell, is_below_hidden=is_below_hidden):
        return f"should {'not ' if is_served else ''}be served"
    if not is_served:
        return None
    if cell["value_status"] != "reported":
        # a share of none says so
        says_count = cell["numerator"] is not None and cell["value_status"] != "not_applicable"
        if says_count or cell["value"] is not None:
            return "says a figure though it has none to say"
        is_wrong = truth is not None and truth["value"] is not None and is_hidden(truth) is False
        return "is hidden and need not be" if is_wrong else None
    is_public = cell["indicator_code"] in UNPROTECTED
    if truth is None:
        return None if is_public and cell["value"] == 0 else "is shown and has no truth"
    if is_hidden(truth):
        return "is shown and must be hidden"
    is_exact = cell["rounding"] == "none"
    if is_exact and not is_public and (cell["area_level"], cell["breakdown"]) != ("province", "total"):
        return "is shown exactly and must not be"
    expected = shown(truth, is_exact=is_exact)
    wrong = [name for name, wanted in expected._asdict().items() if not _equal(wanted, cell[name])]
    return f"{', '.join(wrong)}: should be {expected}" if wrong else None


def _place(cell: Cell) -> tuple[Any, ...]:
    return tuple(cell[name] for name in KEY[:4])


def _equal(wanted: Decimal | None, got: Decimal | None) -> bool:
    """A unit of the fourth decimal may be off: the truth's floating point may round a tie the other way."""
    if wanted is None or got is None:
        return wanted is None and got is None
    return abs(wanted - got) <= Decimal("0.000101")


def _decimal(number: float | None) -> Decimal | None:
    return None if number is None else Decimal(str(number))


def _decimal_of(number: float, unit: str = "0.0001") -> Decimal:
    """To the fourth decimal or another *unit*, as it stands in a cell."""
    return Decimal(str(number)).quantize(Decimal(unit), ROUND_HALF_UP)


def _as_far_as_known(value: Decimal, highest: Decimal) -> Decimal:
    """To the leading digit of what it may be off, *highest* being the most that the exact sides may give."""
    step = Decimal(10) ** max((highest - value).adjusted(), -4)
    return (value.quantize(Decimal("0.0001"), ROUND_HALF_UP) / step).quantize(Decimal(1), ROUND_HALF_UP) * step


def _in_tens(number: float, *, is_exact: bool) -> Decimal:
    """The middle of the ten that a count lies in."""
    return Decimal(int(number)) if is_exact else Decimal(int(number) // 10 * 10 + 5)


def _to_tens(number: float) -> Decimal:
    """The nearest ten of the unit."""
    return (Decimal(str(number)) / 10).quantize(Decimal(1), ROUND_HALF_UP) * 10


def _to_ten_yuan(amount: Decimal) -> Decimal:
    return (amount / 10).quantize(Decimal(1), ROUND_HALF_UP) * 10
