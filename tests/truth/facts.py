"""The rows that the sandbox's departments sent and that were accepted, as the core facts hold them.

Between a feed and its fact nothing is computed that the truth says; that the pipeline brings the rows there is shown by
the end-to-end test.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
from psycopg import sql

from sandbox import areas, feeds, population, published_income, truth
from sandbox.calendar import FIRST_MONTH, HORIZON, OPENING_DAY, add_months
from sandbox.feeds.model import Scene
from sandbox.feeds.sectors.training_enrollments import SECTORS
from sandbox.parameters import Parameters
from sandbox.population.codes import INDUSTRIES
from sandbox.truth.known import Known, known
from tests.golden.warehouse_of_cases import make_table

FACTS = (
    "fct_training", "fct_sector_training", "fct_employment_spell", "fct_certificate", "fct_wage",
    "fct_skill_enterprise", "fct_resident_income",
)  # fmt: skip
# Published figures begin before the sandbox's window, and some end before it does.
PUBLISHED = {
    "statistics/resident_income": (dt.date(2000, 1, 1), OPENING_DAY),
    "seed/published_skill_share": (dt.date(2012, 1, 1), dt.date(2025, 8, 31)),
}
_FEEDS = """
select distinct feed from core.seed_indicator cross join string_to_table(horizon_feeds, ',') as feed where is_built
"""


def make_scene(folder: Path, *, scale: float, seed: int) -> Scene:
    """Everything that the departments of one sandbox have; accepted wages go below *folder*."""
    wages = folder / "wages"
    wages.mkdir()
    scene = Scene(population.generate(scale, seed), Parameters(scale=scale, seed=seed), HORIZON, wages)
    for feed in feeds.every():
        for _ in feed.make(scene):
            pass
    return scene


def true_cells(folder: Path, scene: Scene) -> pl.DataFrame:
    """The true figures of *scene*; they are written to *folder*."""
    truth.write(folder, scene)
    return pl.read_parquet(folder / "indicators.parquet")


def put_facts(connection: psycopg.Connection[Any], manifest: dict[str, Any], scene: Scene, schema: str) -> None:
    """Make the facts and what the feeds cover in *schema*, as they stand on the sandbox's opening day."""
    for table in (*FACTS, "feed_coverage"):
        make_table(connection, manifest, table, schema=schema)
    for table, frame in _rows(scene):
        columns = sql.SQL(", ").join(map(sql.Identifier, frame.columns))
        statement = sql.SQL("copy {} ({}) from stdin (format csv)").format(sql.Identifier(schema, table), columns)
        with connection.cursor().copy(statement) as copy:
            copy.write(frame.write_csv(include_header=False))
    for (feed,) in connection.execute(_FEEDS).fetchall():
        covered = PUBLISHED.get(feed, (FIRST_MONTH, OPENING_DAY))
        connection.execute(
            sql.SQL("insert into {} values (%s, %s, %s)").format(sql.Identifier(schema, "feed_coverage")),
            [feed, *covered],
        )
    for table in (*FACTS, "feed_coverage"):
        connection.execute(sql.SQL("analyze {}").format(sql.Identifier(schema, table)))


def _rows(scene: Scene) -> Iterator[tuple[str, pl.DataFrame]]:
    stand = known(scene)
    persons = _persons(scene, stand)
    yield "fct_training", _trainings(stand, persons)
    yield "fct_sector_training", _sector_trainings(scene, persons)
    yield "fct_employment_spell", _spells(stand, persons)
    yield "fct_certificate", _certificates(stand, persons)
    yield "fct_skill_enterprise", _enterprises(scene)
    for file in sorted(scene.truth_folder.glob("*.parquet")):
        yield "fct_wage", _wages(pl.read_parquet(file), persons)
    yield "fct_resident_income", _incomes()


def _persons(scene: Scene, stand: Known) -> pl.DataFrame:
    """person, person_id, and what the document says."""
    number = len(scene.people.persons)
    ids = pl.Series([str(uuid.UUID(int=person + 1)) for person in range(number)])
    return pl.DataFrame({"person": pl.int_range(number, eager=True), "person_id": ids}).join(
        stand.documents, on="person", how="left"
    )


def _of_persons(rows: pl.DataFrame, persons: pl.DataFrame) -> pl.DataFrame:
    return rows.drop("birth_year", "sex", strict=False).join(persons, on="person", how="left")


def _code(column: str) -> pl.Expr:
    """The code of an area from its index; a negative one is none."""
    codes = pl.Series(areas.all_codes())
    return (
        pl.when(pl.col(column) >= 0)
        .then(pl.col(column))
        .map_batches(lambda index: codes.gather(index.cast(pl.Int64)), return_dtype=pl.String)
    )


def _stated(column: str) -> pl.Expr:
    """Null where the department left it empty."""
    return pl.when(pl.col(column) != "").then(pl.col(column)).alias(column)


def _trainings(stand: Known, persons: pl.DataFrame) -> pl.DataFrame:
    handled = pl.coalesce(_stated("handling_county_code"), _code("venue"))
    return _of_persons(stand.trainings, persons).select(
        "enrollment_id", "person_id", "ends_in_assessment", "start_date", "planned_end_date", "completion_date",
        "left_on", "status", "subsidy_source", "birth_year", "sex",
        *map(_stated, ("urban_rural_code", "priority_groups", "focus_sector", "occupation_code", "provider_type")),
        residence_area_code=areas.area_of(pl.col("lives_in")),
        handling_area_code=areas.area_of(handled.fill_null("")),
    )  # fmt: skip


def _sector_trainings(scene: Scene, persons: pl.DataFrame) -> pl.DataFrame:
    names, letters = ({number: getattr(sector, name) for number, sector in enumerate(SECTORS)} for name in _SECTOR)
    handled = pl.coalesce(_code("handling"), _code("venue"))
    number = pl.format(
        "{}{}{}",
        pl.col("sector").replace_strict(letters, return_dtype=pl.String),
        pl.col("reported_on").dt.strftime("%Y%m"),
        pl.col("serial").cast(pl.String).str.zfill(6),
    )
    return _of_persons(scene.accepted["sectors/training_enrollments"], persons).select(
        "person_id", "start_date", "completion_date", "status", "is_subsidised", "birth_year", "sex",
        _stated("occupation_code"),
        department=pl.col("sector").replace_strict(names, return_dtype=pl.String),
        enrollment_id=number,
        residence_area_code=areas.area_of(pl.col("lives_in")),
        handling_area_code=areas.area_of(handled.fill_null("")),
    )  # fmt: skip


_SECTOR = ("name", "letters")


def _spells(stand: Known, persons: pl.DataFrame) -> pl.DataFrame:
    return _of_persons(stand.spells, persons).select(
        "person_id", "employer_code", "start_date", "end_date", "birth_year", "sex", _stated("urban_rural_code"),
        work_area_code=_code("county"),
        residence_area_code=areas.area_of(pl.col("lives_in")),
    )  # fmt: skip


def _certificates(stand: Known, persons: pl.DataFrame) -> pl.DataFrame:
    is_levelled = pl.col("certificate_type") == "01"
    return _of_persons(stand.certificates, persons).select(
        "person_id", "certificate_type", "certificate_number", "occupation_code", "level_code", "issued_on",
        "valid_until", "is_revoked", "revoked_on",
        issuer_kind=pl.when(is_levelled).then(pl.col("certificate_number").str.slice(0, 1)),
        level_rank="rank",
        issue_area_code=_code("county"),
    )  # fmt: skip


def _enterprises(scene: Scene) -> pl.DataFrame:
    stands = pl.col("revoked").is_null()
    return scene.accepted["hrss/skill_enterprises"].select(
        "uscc",
        county_code=_code("county"),
        recognised_on="recognised",
        recognition_round=pl.col("round").cast(pl.String),
        status=pl.when(stands).then(pl.lit("已认定")).otherwise(pl.lit("已撤销")),
        revoked_on="revoked",
    )


def _wages(rows: pl.DataFrame, persons: pl.DataFrame) -> pl.DataFrame:
    industries = dict(enumerate(INDUSTRIES.tolist()))
    return _of_persons(rows, persons).select(
        "person_id", "scheme", "payment_type", "birth_year", "sex",
        employer_code=pl.col("employer").cast(pl.String),
        work_area_code=_code("work"),
        industry_code=pl.col("industry").replace_strict(industries, return_dtype=pl.String),
        wage_month=pl.col("wage_month").str.to_date("%Y%m"),
        wage_cny_month=pl.col("cents") / 100,
    )  # fmt: skip


def _incomes() -> pl.DataFrame:
    rows = []
    for delivery, published in published_income.figures().items():
        start = dt.date(int(delivery[:4]), 1, 1)
        end = add_months(start, 3 * int(delivery[5])) - dt.timedelta(days=1)
        for row in published:
            if row["area_code"].isdigit():
                figures = [_number(row.get(name, "")) for name in ("all", "urban", "rural", "ratio")]
                marks = (row.get("definition") or "integrated", row.get("basis") or "printed")
                rows.append((row["area_code"], start, end, *figures, *marks))
    names = (
        "area_code", "period_start", "period_end", "income_all_cny", "income_urban_cny", "income_rural_cny",
        "urban_rural_ratio_printed", "definition", "basis",
    )  # fmt: skip
    return pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
