"""Subsidised trainings, every version of each."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandbox import areas, identifiers
from sandbox.population.codes import FIRST_MONTH, LAST_DAY, NOT_A_DATE, Dates, days
from sandbox.population.spells import PLACES

# A second training that begins within 90 days of the first one's end: together they are one episode.
SHARE_SECOND, LONGEST_GAP_DAYS = 0.08, 85
# 补贴资金来源: not on the subsidy list, unemployment insurance, employment subsidies, special account, other (assumed).
SOURCES, SOURCE_SHARES = np.array(["00", "01", "02", "03", "04"]), (0.05, 0.5, 0.3, 0.1, 0.05)
# Who approves and pays: mostly the county of residence, else that of the venue, a city's or the province's own office;
# for the rest nobody has said it.
SHARE_HANDLED_AT_HOME, SHARE_HANDLED_AT_VENUE, SHARE_HANDLED_BY_CITY, SHARE_HANDLED_BY_PROVINCE = 0.8, 0.14, 0.02, 0.01


def make_trainings(persons: pl.DataFrame, spells: pl.DataFrame, number: int, rng: np.random.Generator) -> pl.DataFrame:
    """Trainings of the window.

    A third leads into a job that begins later, some follow another one of the same person within 90 days; versions:
    begun, ended, corrected or withdrawn.
    """
    area = areas.load()
    later = spells.filter(pl.col("start_date") >= (FIRST_MONTH + 62).astype(object)).select("person", "start_date")
    into_work = int(number * 0.35)
    chosen = later.sample(into_work, with_replacement=True, seed=int(rng.integers(2**31)))
    person = np.concatenate([chosen["person"].to_numpy(), rng.integers(0, len(persons), number - into_work)])
    start = days(rng, FIRST_MONTH, LAST_DAY - 5, number)
    start[:into_work] = chosen["start_date"].to_numpy() - rng.integers(20, 150, into_work)
    start = np.maximum(start, FIRST_MONTH)
    length = rng.choice([3, 5, 10, 20, 45, 90], number, p=[0.2, 0.25, 0.25, 0.15, 0.1, 0.05])
    second = np.arange(number - int(number * SHARE_SECOND), number)
    first = rng.integers(0, number - len(second), len(second))
    begins = start[first] + length[first] + rng.integers(1, LONGEST_GAP_DAYS, len(second))
    in_time = begins <= LAST_DAY - 5
    second, first = second[in_time], first[in_time]
    person[second], start[second] = person[first], begins[in_time]
    completion = start + length
    draw = rng.random(number)
    outcome = np.where(draw < 0.9, "02", "03")
    rural = persons["registration_kind"].to_numpy()[person] == "2"
    groups = [rng.random(number) < share for share in (0.08, 0.22, 0.0, 0.1, 0.03)]
    groups[2] = rural & (rng.random(number) < 0.7)
    codes = np.full(number, "", dtype="U14")
    for code, member in zip(("01", "02", "03", "04", "05"), groups, strict=True):
        codes = np.where(member, np.where(codes == "", code, np.char.add(codes, "," + code)), codes)
    sector = rng.choice(
        np.array(["01", "02", "03", "04", "05", "06", ""]), number, p=[0.24, 0.14, 0.03, 0.08, 0.1, 0.25, 0.16]
    )
    online = rng.random(number) < 0.12
    residence = persons["residence"].to_numpy()[person]
    venue = np.where(rng.random(number) < 0.85, residence, rng.choice(len(area.codes), number, p=area.weight))
    occupation = np.where(rng.random(number) < 0.85, persons["occupation"].to_numpy().astype(str)[person], "")
    hours = np.round(length * rng.uniform(4, 8, number), 1)
    subsidy = np.where(rng.random(number) < 0.85, np.round(hours * rng.uniform(12, 30, number), 2), np.nan)
    months = start.astype("datetime64[M]").astype(int)
    stamp = (months // 12 + 1970) * 100 + months % 12 + 1
    running = np.arange(number, dtype=np.int64)
    # Who leaves early leaves between the first day and the last but one.
    left = np.where(outcome == "03", start + (rng.random(number) * length).astype(int), NOT_A_DATE)
    last_day: Dates = np.where(np.isnat(left), completion, np.maximum(left, start + 1))
    planned = np.maximum(completion + np.where(rng.random(number) < 0.1, rng.integers(-7, 8, number), 0), start)
    source = rng.choice(SOURCES, number, p=SOURCE_SHARES)
    handling = _handled(residence, np.where(online, residence, venue), rng)
    enrollment = np.char.add("PX", identifiers.to_text(identifiers.fixed_digits(stamp * 100_000_000 + running, 14)))
    base = pl.DataFrame(
        {
            "enrollment_id": enrollment,
            "person": person,
            "residence": residence,
            "handling_county_code": handling,
            "venue": np.where(online, -1, venue),
            "is_online": online,
            "priority_groups": codes,
            "focus_sector": sector,
            "occupation_code": occupation,
            "provider_type": rng.choice(np.array(["01", "02", "03", "04"]), number, p=[0.2, 0.25, 0.35, 0.2]),
            "ends_in_assessment": rng.random(number) < 0.62,
            "start_date": start,
            "planned_end_date": planned,
            "completion_date": completion,
            "left_on": left,
            "duration_hours": hours,
            "subsidy_source": source,
            "subsidy_cny": np.where(source == "00", np.nan, subsidy),
            "outcome": outcome,
        },
        nan_to_null=True,
    ).join(persons.select("person", "id_type", "resident_id", *PLACES), on="person", maintain_order="left")
    base = base.with_columns(class_code=_class_codes())
    fate = rng.random(number)
    corrected = pl.Series(np.where(fate < 0.03, "corrected", np.where(fate < 0.045, "withdrawn", "")))
    clock = [rng.integers(8 * 3600, 20 * 3600, number) for _ in range(3)]

    def at(day: Dates, second: NDArray[np.int64]) -> pl.Series:
        return pl.Series((day.astype("datetime64[s]") + second).astype("datetime64[us]"))

    begun = base.with_columns(
        version=pl.lit(1),
        status=pl.lit("01"),
        updated_at=at(start + 1, clock[0]),
        completion_date=pl.lit(None, pl.Date),
        left_on=pl.lit(None, pl.Date),
    )
    ended = base.with_columns(
        version=pl.lit(2),
        status=pl.col("outcome"),
        updated_at=at(last_day + rng.integers(1, 5, number), clock[1]),
        completion_date=pl.when(pl.col("outcome") == "02").then("completion_date"),
    )
    changed = ended.with_columns(
        version=pl.lit(3),
        status=pl.when(corrected == "withdrawn").then(pl.lit("09")).otherwise("status"),
        duration_hours=pl.col("duration_hours") + 8,
        focus_sector=pl.when(pl.col("focus_sector") == "").then(pl.lit("06")).otherwise("focus_sector"),
        priority_groups=pl.when(pl.col("priority_groups") == "").then(pl.lit("02")).otherwise("priority_groups"),
        updated_at=at(completion + rng.integers(30, 200, number), clock[2]),
    ).filter(corrected != "")
    return pl.concat([begun, ended, changed]).drop("outcome").sort("updated_at", "enrollment_id")


def _handled(residence: NDArray[np.int64], venue: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.str_]:
    """Codes of the offices that approve and pay; an empty text where it was not said."""
    codes = np.array(areas.load().codes)
    cities = np.array([f"{code[:4]}99" for code in codes])
    limits = np.cumsum(
        [SHARE_HANDLED_AT_HOME, SHARE_HANDLED_AT_VENUE, SHARE_HANDLED_BY_CITY, SHARE_HANDLED_BY_PROVINCE]
    )
    chosen = np.searchsorted(limits, rng.random(len(residence)), side="right")
    return np.choose(chosen, [codes[residence], codes[venue], cities[residence], areas.PROVINCE_OWN_LEVEL, ""])


def _class_codes() -> pl.Expr:
    """Those who begin and end on the same days at the same venue are one class; its month stands in its number."""
    number = pl.struct("start_date", "planned_end_date", "venue").rank("dense").cast(pl.String).str.zfill(8)
    return pl.format("BJ{}{}", pl.col("start_date").dt.strftime("%Y%m"), number)
