"""The true value of every indicator, computed with polars from what remains after refusals, corrections and
withdrawals.

For tests only. It follows the written definition of each indicator and shares no code with the pipeline. All
areas: counties,
cities, province and groups as their members stand at the period's end. Periods: the window 2024-07..2026-06
(and the real periods
of the published figures); cohort periods only once they have matured. Nothing is suppressed here. A cell
without a denominator
(or with a count of zero) does not exist. `value` is rounded to 4 decimals; numerator and denominator are not rounded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from sandbox import areas, published_income
from sandbox.population import Population

HORIZON = date(2026, 6, 30)
RANK = {"5": 1, "4": 2, "3": 3, "2": 4, "1": 5, "T": 6, "S": 7}
LABEL = {rank: code for code, rank in RANK.items()}
SCHEMA = {
    "indicator_code": pl.String, "area_code": pl.String, "period_type": pl.String, "period_start": pl.Date,
    "breakdown": pl.String, "breakdown_value": pl.String, "numerator": pl.Float64, "denominator": pl.Float64,
    "value": pl.Float64, "n_persons": pl.Int64,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Period:
    """A month, quarter or year; `reference` = its end or the horizon, whichever is earlier."""

    kind: str
    start: date
    end: date

    @property
    def reference(self) -> date:
        """Day on which stocks are counted."""
        return min(self.end, HORIZON)

    def shifted(self, months: int) -> Period:
        """The period of the same length `months` later."""
        start = add_months(self.start, months)
        length = {"month": 1, "quarter": 3, "year": 12}[self.kind]
        return Period(self.kind, start, add_months(start, length) - timedelta(days=1))


def add_months(day: date, months: int) -> date:
    """First of a month, `months` later."""
    number = day.year * 12 + day.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def periods(kind: str) -> list[Period]:
    """Periods of the window."""
    if kind == "year":
        return [Period("year", date(year, 1, 1), date(year, 12, 31)) for year in (2024, 2025, 2026)]
    step = {"month": 1, "quarter": 3}[kind]
    starts = [add_months(date(2024, 7, 1), number) for number in range(0, 24, step)]
    return [Period(kind, start, add_months(start, step) - timedelta(days=1)) for start in starts]


def members(day: date) -> pl.DataFrame:
    """area_code, county (index) as membership stands on `day`."""
    index = {code: number for number, code in enumerate(areas.load().codes)}
    return (
        areas.area_member()
        .filter((pl.col("valid_from") <= day) & (day < pl.col("valid_to")))
        .select("area_code", county=pl.col("county_code").replace_strict(index, return_dtype=pl.Int64))
    )


@dataclass(slots=True)
class Cells:
    """Collected cells."""

    frames: list[pl.DataFrame] = field(default_factory=list)

    def add(
        self,
        code: str,
        period: Period,
        frame: pl.DataFrame,
        scale: float = 1.0,
        breakdown: tuple[str, str] = ("total", "total"),
    ) -> None:
        """`frame`: area_code, numerator, denominator (null for counts and medians), n_persons, perhaps value."""
        if "value" not in frame.columns:
            frame = frame.with_columns(value=pl.col("numerator") / pl.col("denominator") * scale)
        self.frames.append(
            frame.select(
                indicator_code=pl.lit(code),
                area_code="area_code",
                period_type=pl.lit(period.kind),
                period_start=pl.lit(period.start),
                breakdown=pl.lit(breakdown[0]),
                breakdown_value=pl.lit(breakdown[1]),
                numerator=pl.col("numerator").cast(pl.Float64),
                denominator=pl.col("denominator").cast(pl.Float64),
                value=pl.col("value").cast(pl.Float64).round(4),
                n_persons=pl.col("n_persons").cast(pl.Int64),
            )
        )

    def ratio(
        self,
        code: str,
        period: Period,
        rows: pl.DataFrame,
        hit: pl.Expr,
        breakdown: tuple[str, str] = ("total", "total"),
    ) -> None:
        """Percent of `rows` (columns county, person) with `hit`, in every area."""
        spread = rows.with_columns(_hit=hit.fill_null(value=False)).join(members(period.end), on="county")
        frame = spread.group_by("area_code").agg(
            numerator=pl.col("_hit").sum(), denominator=pl.len(), n_persons=pl.col("person").n_unique()
        )
        self.add(code, period, frame, 100, breakdown)

    def count(
        self,
        code: str,
        period: Period,
        rows: pl.DataFrame,
        person: str | None,
        breakdown: tuple[str, str] = ("total", "total"),
    ) -> None:
        """Number of `rows` in every area."""
        persons = pl.col(person).n_unique() if person else pl.lit(None, pl.Int64)
        frame = (
            rows.join(members(period.end), on="county").group_by("area_code").agg(numerator=pl.len(), n_persons=persons)
        )
        value = pl.col("numerator")
        self.add(code, period, frame.with_columns(denominator=pl.lit(None), value=value), breakdown=breakdown)


def write(
    folder: Path,
    people: Population,
    trainings: pl.DataFrame,
    spells: pl.DataFrame,
    certificates: pl.DataFrame,
    enterprises: pl.DataFrame,
) -> None:
    """Compute all indicators from the accepted-equivalent frames and write `indicators.parquet`."""
    cells = Cells()
    completed = trainings.filter((pl.col("status") == "02") & pl.col("completion_date").is_not_null()).rename(
        {"residence": "county"}
    )
    spells = spells.rename({"work": "county"})
    certificates = certificates.rename({"issue_county": "county"}).with_columns(
        rank=pl.col("level_code").replace_strict(RANK, default=None, return_dtype=pl.Int64)
    )
    _trainings(cells, completed)
    _cohorts(cells, completed, spells, certificates, folder / "wages")
    _certificates(cells, certificates)
    _roster(cells, enterprises)
    _stocks(cells, spells, certificates)
    _wages(cells, certificates, folder / "wages")
    _published(cells)
    pl.concat(cells.frames).cast(SCHEMA).sort(list(SCHEMA)[:6]).write_parquet(folder / "indicators.parquet")


def _trainings(cells: Cells, completed: pl.DataFrame) -> None:
    """M01-3 and M01-5."""
    for kind in ("month", "quarter", "year"):
        for period in periods(kind):
            rows = completed.filter(pl.col("completion_date").is_between(period.start, period.end))
            cells.count("M01-3", period, rows, "person")
            for group in ("01", "02", "03", "04", "05"):
                part = rows.filter(pl.col("priority_groups").str.contains(group, literal=True))
                cells.count("M01-3", period, part, "person", ("priority_group", group))
            prior = pl.col("priority_groups") != ""
            cells.ratio("M01-5", period, rows, prior)
            for (sector,), part in rows.filter(pl.col("focus_sector") != "").group_by("focus_sector"):
                cells.ratio("M01-5", period, part, prior, ("focus_sector", str(sector)))


def _exits(completed: pl.DataFrame, period: Period) -> pl.DataFrame:
    """The latest completed record of each person in the quarter."""
    return (
        completed.filter(pl.col("completion_date").is_between(period.start, period.end))
        .sort("completion_date", "enrollment_id")
        .unique("person", keep="last", maintain_order=True)
    )


def _overlaps(exits: pl.DataFrame, spells: pl.DataFrame, first: pl.Expr, last: pl.Expr) -> pl.Series:
    """For each exit whether a spell of the person overlaps [first, last]."""
    joined = (
        exits.with_columns(_first=first, _last=last)
        .select("enrollment_id", "person", "_first", "_last")
        .join(spells.select("person", _s="start_date", _e="end_date"), on="person")
    )
    met = joined.filter(
        (pl.col("_s") <= pl.col("_last")) & (pl.col("_e").is_null() | (pl.col("_e") >= pl.col("_first")))
    )
    return exits["enrollment_id"].is_in(met["enrollment_id"].implode())


def _cohorts(
    cells: Cells, completed: pl.DataFrame, spells: pl.DataFrame, certificates: pl.DataFrame, wages: Path
) -> None:
    """M01-2 for every quarter; M01-1, O-1, O-2, O-3 for quarters that have matured."""
    ever_valid = certificates.filter(~(pl.col("is_revoked") & pl.col("revoked_on").is_null()))
    for period in periods("quarter"):
        exits = _exits(completed, period)
        exits = exits.with_columns(at_entry=_overlaps(exits, spells, pl.col("start_date"), pl.col("start_date")))
        # A certificate may come on the last day of the course: there is something to say from the start.
        _certified(cells, period, completed, ever_valid)
        if period.shifted(6).end <= HORIZON:
            month = pl.col("completion_date").dt.month_start().dt.offset_by("6mo")
            found = _overlaps(exits, spells, month, month.dt.month_end())
            cells.ratio("M01-1", period, exits.with_columns(found=found).filter(~pl.col("at_entry")), pl.col("found"))
            second = _outcome(cells, "O-1", period, exits, spells, 6)
            _earnings(cells, period, second, wages)
        if period.shifted(12).end <= HORIZON:
            _outcome(cells, "O-2", period, exits, spells, 12)


def _certified(cells: Cells, period: Period, completed: pl.DataFrame, ever_valid: pl.DataFrame) -> None:
    exits = _exits(completed.filter("ends_in_assessment"), period)
    joined = exits.select("enrollment_id", "person", "completion_date", trained="occupation_code").join(
        ever_valid.select("person", "issued_on", certified="occupation_code"), on="person"
    )
    in_time = (pl.col("issued_on") >= pl.col("completion_date")) & (
        pl.col("issued_on") <= pl.col("completion_date").dt.offset_by("6mo")
    )
    fits = (pl.col("trained") == "") | pl.col("certified").is_null() | (pl.col("trained") == pl.col("certified"))
    hit = joined.filter(in_time & fits)["enrollment_id"]
    cells.ratio("M01-2", period, exits, pl.col("enrollment_id").is_in(hit.implode()))


def _outcome(
    cells: Cells, code: str, period: Period, exits: pl.DataFrame, spells: pl.DataFrame, months: int
) -> pl.DataFrame:
    """Share with a spell overlapping the quarter `months` later. Returns the exits with column `found`."""
    later = period.shifted(months)
    exits = exits.with_columns(found=_overlaps(exits, spells, pl.lit(later.start), pl.lit(later.end)))
    cells.ratio(code, period, exits, pl.col("found"))
    for label, at_entry in (("yes", pl.col("at_entry")), ("no", ~pl.col("at_entry"))):
        cells.ratio(code, period, exits.filter(at_entry), pl.col("found"), ("employed_at_entry", label))
    return exits


def _earnings(cells: Cells, period: Period, exits: pl.DataFrame, wages: Path) -> None:
    """O-3: median of the sum of the quarter's wages among those employed then."""
    rows = _wage_rows(wages, period.shifted(6)).group_by("person").agg(pl.col("cents").sum())
    employed = exits.filter("found").join(rows, on="person").filter(pl.col("cents") > 0)
    frame = (
        employed.join(members(period.end), on="county")
        .group_by("area_code")
        .agg(value=pl.col("cents").median() / 100, n_persons=pl.col("person").n_unique())
    )
    cells.add("O-3", period, frame.with_columns(numerator=pl.lit(None), denominator=pl.lit(None)))


def _certificates(cells: Cells, certificates: pl.DataFrame) -> None:
    """M07-1 and M07-2."""
    standing = certificates.filter(~pl.col("is_revoked"))
    for kind in ("quarter", "year"):
        for period in periods(kind):
            issued = standing.filter(pl.col("issued_on").is_between(period.start, period.end))
            employer = pl.col("certificate_number").str.starts_with("Y")
            cells.ratio("M07-1", period, issued.filter(pl.col("certificate_type") == "01"), employer)
            levelled = issued.filter(pl.col("certificate_type").is_in(["01", "02"]) & pl.col("rank").is_not_null())
            cells.ratio("M07-2", period, levelled, pl.col("rank") >= 3)


def _roster(cells: Cells, enterprises: pl.DataFrame) -> None:
    """M08-1: ever recognised; apart, those revoked by then."""
    for period in periods("quarter"):
        rows = enterprises.filter(pl.col("recognised") <= period.reference)
        cells.count("M08-1", period, rows, None)
        revoked = rows.filter(pl.col("revoked") <= period.reference)
        cells.count("M08-1", period, revoked, None, ("status", "revoked"))


def _valid(certificates: pl.DataFrame, day: date) -> pl.DataFrame:
    """Certificates that are valid on `day`."""
    gone = pl.col("is_revoked") & (pl.col("revoked_on").is_null() | (pl.col("revoked_on") <= day))
    return certificates.filter(
        (pl.col("issued_on") <= day) & (pl.col("valid_until").is_null() | (pl.col("valid_until") >= day)) & ~gone
    )


def _highest(certificates: pl.DataFrame, day: date) -> pl.DataFrame:
    """person, rank: highest level among the valid certificates of types 01 and 02."""
    levelled = _valid(certificates, day).filter(pl.col("certificate_type").is_in(["01", "02"]))
    return levelled.group_by("person").agg(pl.col("rank").max()).drop_nulls()


def _stocks(cells: Cells, spells: pl.DataFrame, certificates: pl.DataFrame) -> None:
    """M21-1, M21-2, G2-2 (years) and G1-2 (quarters)."""
    for kind in ("year", "quarter"):
        for period in periods(kind):
            day = period.reference
            working = spells.filter(
                (pl.col("start_date") <= day) & (pl.col("end_date").is_null() | (pl.col("end_date") >= day))
            ).sort("start_date", "employer_code")
            holders = _valid(certificates, day)["person"].unique()
            high = _highest(certificates, day).filter(pl.col("rank") >= 3)["person"]
            persons = (
                working.join(members(period.end), on="county")
                .unique(["area_code", "person"], keep="last", maintain_order=True)
                .select(
                    "area_code",
                    "residence_kind",
                    certified=pl.col("person").is_in(holders.implode()),
                    high=pl.col("person").is_in(high.implode()),
                )
            )
            if kind == "year":
                _shares(cells, period, persons)
            else:
                _by_residence(cells, period, persons)


def _shares(cells: Cells, period: Period, persons: pl.DataFrame) -> None:
    frame = persons.group_by("area_code").agg(
        numerator=pl.col("certified").sum(), denominator=pl.len(), n_persons=pl.len()
    )
    cells.add("M21-1", period, frame, 100)
    holders = (
        persons.filter("certified")
        .group_by("area_code")
        .agg(numerator=pl.col("high").sum(), denominator=pl.len(), n_persons=pl.len())
    )
    cells.add("M21-2", period, holders, 100)
    share = {row["area_code"]: row for row in frame.iter_rows(named=True)}
    for label, group in (("in_force", "G-MI"), ("fixed_26", "G-MI26"), ("fixed_25", "G-MI25"), ("fixed_22", "G-MI22")):
        one, rest = share[group], share[f"{group}-REST"]
        row = {
            "area_code": [areas.PROVINCE],
            "numerator": [one["numerator"] / one["denominator"] * 100],
            "denominator": [rest["numerator"] / rest["denominator"] * 100],
            "n_persons": [min(one["n_persons"], rest["n_persons"])],
        }
        cells.add("G2-2", period, pl.DataFrame(row), breakdown=("list", label))


def _by_residence(cells: Cells, period: Period, persons: pl.DataFrame) -> None:
    """G1-2: certified share of urban residents over that of rural residents."""
    urban, rural = pl.col("residence_kind") == "1", pl.col("residence_kind") == "2"
    frame = persons.group_by("area_code").agg(
        numerator=(pl.col("certified") & urban).sum() / urban.sum(),
        denominator=(pl.col("certified") & rural).sum() / rural.sum(),
        n_persons=pl.min_horizontal(urban.sum(), rural.sum()),
    )
    cells.add("G1-2", period, frame.filter((pl.col("n_persons") > 0) & (pl.col("denominator") > 0)))


def _wage_rows(folder: Path, period: Period) -> pl.DataFrame:
    """Normal pension rows of the period: person, county, month, cents."""
    first, last = f"{period.start:%Y%m}", f"{period.end:%Y%m}"
    files = sorted(path for path in folder.glob("*.parquet") if first <= path.stem <= last)
    return (
        pl.scan_parquet(files)
        .filter((pl.col("scheme") == "110") & (pl.col("payment_type") == "01"))
        .select("person", "wage_month", "cents", county="work")
        .collect()
    )


def _person_wages(folder: Path, certificates: pl.DataFrame, period: Period) -> pl.DataFrame:
    """area_code, person, wage (元 a month, mean over the months with a row in the area), rank (0 = none)."""
    rows = _wage_rows(folder, period).join(members(period.end), on="county")
    monthly = rows.group_by("area_code", "person").agg(
        wage=pl.col("cents").sum() / pl.col("wage_month").n_unique() / 100
    )
    level = _highest(certificates, period.reference)
    return monthly.join(level, on="person", how="left").with_columns(pl.col("rank").fill_null(0))


def _wages(cells: Cells, certificates: pl.DataFrame, folder: Path) -> None:
    """M14-4 (quarters), M14-2 and G3-1 (years)."""
    nothing = {"numerator": pl.lit(None), "denominator": pl.lit(None)}
    for period in periods("quarter"):
        wages = _person_wages(folder, certificates, period)
        for (rank,), part in wages.group_by("rank"):
            frame = part.group_by("area_code").agg(value=pl.col("wage").median(), n_persons=pl.len())
            label = LABEL.get(int(str(rank)), "none")
            cells.add("M14-4", period, frame.with_columns(**nothing), breakdown=("skill_level", label))
    for period in periods("year"):
        wages = _person_wages(folder, certificates, period)
        _median_ratio(cells, "M14-2", period, wages, pl.col("rank") >= 3, pl.col("rank").is_in([1, 2]))
        for rank, label in LABEL.items():
            _median_ratio(
                cells, "G3-1", period, wages, pl.col("rank") == rank, pl.col("rank") == 0, ("skill_level", label)
            )


def _median_ratio(
    cells: Cells,
    code: str,
    period: Period,
    wages: pl.DataFrame,
    upper: pl.Expr,
    lower: pl.Expr,
    breakdown: tuple[str, str] = ("total", "total"),
) -> None:
    wage = pl.col("wage")
    frame = wages.group_by("area_code").agg(
        numerator=wage.filter(upper).median(),
        denominator=wage.filter(lower).median(),
        n_persons=pl.min_horizontal(upper.sum(), lower.sum()),
    )
    cells.add(code, period, frame.filter(pl.col("n_persons") > 0), breakdown=breakdown)


def _published(cells: Cells) -> None:
    """M21-5, G1-1 and G2-5: real figures as published."""
    cells.add(
        "M21-5",
        Period("year", date(2025, 1, 1), date(2025, 12, 31)),
        _published_row(areas.PROVINCE, None, None, 34.6),
    )
    for delivery, rows in published_income.figures().items():
        year, quarter = int(delivery[:4]), int(delivery[5])
        start = date(year, quarter * 3 - 2, 1)
        span = [Period("quarter", start, add_months(start, 3) - timedelta(days=1))]
        if quarter == 4:
            span.append(Period("year", date(year, 1, 1), date(year, 12, 31)))
        current = [row for row in rows if row.get("definition") != "old_2013" and row["area_code"].isdigit()]
        for period in span:
            for row in current:
                urban, rural, ratio = (_number(row.get(name, "")) for name in ("urban", "rural", "ratio"))
                if urban is not None and rural is not None:
                    cells.add("G1-1", period, _published_row(row["area_code"], urban, rural, urban / rural))
                elif ratio is not None:
                    cells.add("G1-1", period, _published_row(row["area_code"], None, None, ratio))
            cities = [row for row in current if row["area_code"][2:4] != "00" and row["area_code"].endswith("00")]
            incomes = [number for row in cities if (number := _number(row.get("all", ""))) is not None]
            if len(incomes) == 11:
                top, bottom = max(incomes), min(incomes)
                cells.add("G2-5", period, _published_row(areas.PROVINCE, top, bottom, top / bottom))
            elif incomes:
                cells.add("G2-5", period, _published_row(areas.PROVINCE, None, None, None))


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _published_row(area: str, numerator: float | None, denominator: float | None, value: float | None) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "area_code": [area],
            "numerator": [numerator],
            "denominator": [denominator],
            "value": [value],
            "n_persons": [None],
        },
        schema={
            "area_code": pl.String,
            "numerator": pl.Float64,
            "denominator": pl.Float64,
            "value": pl.Float64,
            "n_persons": pl.Int64,
        },
    )
