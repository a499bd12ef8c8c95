"""The linked synthetic population: persons, employers, spells, trainings, certificates. All of it is 合成数据.

One numpy Generator per subject, spawned from the seed, so that a change in one subject leaves the others as they were.
Dates are numpy datetime64[D]; a missing date is NaT.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandbox import areas, identifiers

EMPLOYED_IN_PROVINCE = 39_000_000
SHARE_EMPLOYED = 0.885
SHARE_SKILLED = 0.361
SHARE_HIGH_OF_SKILLED = 0.352
TRAININGS_A_YEAR = 1_200_000
FIRST_MONTH = np.datetime64("2024-07-01")
LAST_DAY = np.datetime64("2026-06-30")
NOT_A_DATE = np.datetime64("NaT", "D")
LEVELS = np.array(["5", "4", "3", "2", "1", "T", "S"])
INDUSTRIES = np.array(list("ABCDEFGHIJKLMNOPQRST"))
INDUSTRY_SHARE = np.array(
    [2, 0.3, 38, 0.8, 0.7, 11, 14, 4.5, 4.5, 4, 1.6, 1.5, 3, 1.8, 0.8, 2.5, 4, 3, 1, 1], dtype=float
)
OCCUPATIONS = np.array(
    ["6-18-01-01", "6-18-02-04", "6-20-01-01", "6-25-04-02", "6-29-02-01", "6-31-01-03", "6-12-03-01", "4-02-02-01",
     "4-04-05-03S", "4-04-05-06S", "4-03-02-01", "4-10-01-01", "4-10-01-05", "4-14-01-02", "4-09-10-01L", "5-01-02-03",
     "6-29-01-01", "4-02-05-01", "2-02-10-09S", "4-99-00-01"]
)  # fmt: skip
Dates = NDArray[np.datetime64]


@dataclass(frozen=True, slots=True)
class Population:
    """The clean province. Frames hold typed canonical columns; `person` and `employer` are row indexes."""

    persons: pl.DataFrame
    employers: pl.DataFrame
    spells: pl.DataFrame
    certificates: pl.DataFrame
    trainings: pl.DataFrame  # every version; column `version` counts from 1


def generate(scale: float, seed: int) -> Population:
    """The population at `scale` (1 = 39 million employed). Deterministic by both arguments."""
    streams = [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(5)]
    number = max(round(EMPLOYED_IN_PROVINCE * scale / SHARE_EMPLOYED), 400)
    employers = _employers(number, streams[0])
    persons = _persons(number, streams[1])
    spells = _spells(persons, employers, streams[2])
    trainings = _trainings(persons, spells, max(int(TRAININGS_A_YEAR * scale * 2), 60), streams[3])
    certificates = _certificates(persons, employers, spells, trainings, streams[4])
    return Population(persons, employers, spells, certificates, trainings)


def days(rng: np.random.Generator, first: str, last: str, size: int) -> Dates:
    """Uniform days from `first` to `last`, both included."""
    begin = np.datetime64(first)
    return begin + rng.integers(0, (np.datetime64(last) - begin).astype(int) + 1, size)


def _persons(number: int, rng: np.random.Generator) -> pl.DataFrame:
    area = areas.load()
    county = rng.choice(len(area.codes), number, p=area.weight)
    order = np.arange(number)
    # Residence: mostly the county of work, else one of the same city, else anywhere.
    residence = county.copy()
    draw = rng.random(number)
    by_city = [np.flatnonzero(area.city_index == city) for city in range(area.city_index.max() + 1)]
    for city, members in enumerate(by_city):
        rows = np.flatnonzero((draw >= 0.82) & (draw < 0.94) & (area.city_index[county] == city))
        residence[rows] = rng.choice(members, len(rows))
    far = np.flatnonzero(draw >= 0.94)
    residence[far] = rng.choice(len(area.codes), len(far), p=area.weight)
    rural = rng.random(number) < area.rural_share[residence]
    age_days = (rng.beta(1.7, 1.9, number) * 43 * 365.25).astype(int)
    birth = np.datetime64("2006-06-30") - age_days
    male = rng.random(number) < 0.54
    calendar = birth.astype("datetime64[D]").astype(object)
    numeric = np.array([day.year * 10000 + day.month * 100 + day.day for day in calendar], dtype=np.int64)
    rank = _rank_within(numeric * 2 + male)
    serial, block = (rank % 500) * 2 + male, rank // 500
    foreign = rng.random(number)
    id_type = np.where(foreign < 0.003, "02", np.where(foreign < 0.006, "03", "01"))
    document = identifiers.resident_ids(numeric, serial, block)
    document = np.where(
        id_type == "02", _coded("H", order, 8), np.where(id_type == "03", _coded("E", order, 8), document)
    )
    propensity = np.where(rural, 0.78, 1.08) * area.skill_factor[county]
    skilled = rng.random(number) < np.clip(SHARE_SKILLED * propensity / propensity.mean(), 0, 0.95)
    only_special = rng.random(number) < 0.08
    high = rng.random(number) < SHARE_HIGH_OF_SKILLED / 0.92
    low_level = rng.choice(LEVELS[:2], number, p=[0.53, 0.47])
    high_level = rng.choice(LEVELS[2:], number, p=[0.69, 0.21, 0.09, 0.007, 0.003])
    level = np.where(only_special, "special", np.where(high, high_level, low_level))
    return pl.DataFrame(
        {
            "person": order.astype(np.int64),
            "id_type": id_type,
            "resident_id": document,
            "birth": birth,
            "male": male,
            "county": county,
            "residence": residence,
            "residence_kind": np.where(rural, "2", "1"),
            "industry": rng.choice(len(INDUSTRIES), number, p=INDUSTRY_SHARE / INDUSTRY_SHARE.sum()),
            "level": np.where(skilled, level, "none"),
            "occupation": rng.choice(OCCUPATIONS, number),
            "wage_noise": np.exp(rng.normal(0, 0.27, number)),
            "insured": rng.random(number) < 0.76,
        }
    )


def _coded(letter: str, numbers: NDArray[np.int64], width: int) -> NDArray[np.str_]:
    """`letter` and the zero-padded number."""
    return np.char.add(
        letter, identifiers.to_text(identifiers.fixed_digits(np.asarray(numbers, dtype=np.int64), width))
    )


def _rank_within(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each element how many equal elements stand before it."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    rank = np.arange(len(values)) - np.repeat(starts, np.diff(np.r_[starts, len(values)]))
    result = np.empty(len(values), dtype=np.int64)
    result[order] = rank
    return result


def _employers(persons: int, rng: np.random.Generator) -> pl.DataFrame:
    area = areas.load()
    count = np.maximum((area.weight * persons / 18).astype(int), 6)
    county = np.repeat(np.arange(len(area.codes)), count)
    number = len(county)
    index = np.arange(number, dtype=np.int64)
    return pl.DataFrame(
        {
            "employer": index,
            "employer_code": _coded("DW", index + 1, 10),
            "uscc": identifiers.social_credit_codes(index + 1),
            "county": county,
            "industry": rng.choice(len(INDUSTRIES), number, p=INDUSTRY_SHARE / INDUSTRY_SHARE.sum()),
            "reports_monthly": rng.random(number) < 0.3,
            "reports_ten_thousands": rng.random(number) < 0.02,
        }
    )


def _pick_employer(county: NDArray[np.int64], employers: pl.DataFrame, rng: np.random.Generator) -> NDArray[np.int64]:
    """An employer in each county; a few employers are large (squared uniform)."""
    count = np.bincount(employers["county"].to_numpy(), minlength=county.max() + 1)
    start = np.r_[0, np.cumsum(count)[:-1]]
    chosen: NDArray[np.int64] = start[county] + (rng.random(len(county)) ** 1.8 * count[county]).astype(int)
    return chosen


def _spells(persons: pl.DataFrame, employers: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Employment spells: stayers, movers (with a gap between two), entrants, leavers; some persons never work."""
    number = len(persons)
    county = persons["county"].to_numpy()
    kind = rng.choice(5, number, p=[0.71, 0.12, 0.08, 0.04, 0.05])
    stayer, mover, entrant, leaver = (np.flatnonzero(kind == code) for code in range(4))
    first = _pick_employer(county, employers, rng)
    rows: list[tuple[NDArray[np.int64], NDArray[np.int64], Dates, Dates]] = []

    def add(who: NDArray[np.int64], employer: NDArray[np.int64], start: Dates, end: Dates) -> None:
        known = start <= LAST_DAY
        rows.append((who[known], employer[known], start[known], np.where(end > LAST_DAY, NOT_A_DATE, end)[known]))

    def nothing(size: int) -> Dates:
        return np.full(size, NOT_A_DATE)

    add(stayer, first[stayer], days(rng, "2019-01-01", "2024-06-30", len(stayer)), nothing(len(stayer)))
    ended = days(rng, "2024-08-01", "2026-03-31", len(mover))
    add(mover, first[mover], days(rng, "2019-01-01", "2024-03-31", len(mover)), ended)
    again = ended + 1 + (rng.exponential(75, len(mover))).astype(int)
    moved_county = np.where(rng.random(len(mover)) < 0.75, county[mover], persons["residence"].to_numpy()[mover])
    second = _pick_employer(moved_county, employers, rng)
    counties_of = employers["county"].to_numpy()
    clash = second == first[mover]
    # A neighbour in the list, but of the same county: each county has at least six employers.
    neighbour = np.where(
        counties_of[np.minimum(second + 1, len(employers) - 1)] == counties_of[second], second + 1, second - 1
    )
    second = np.where(clash, np.minimum(neighbour, len(employers) - 1), second)
    second = np.where(second == first[mover], second - 1, second)
    again_end = np.where(rng.random(len(mover)) < 0.12, again + rng.integers(60, 500, len(mover)), NOT_A_DATE)
    add(mover, second, again, again_end)
    begun = days(rng, "2024-08-01", "2026-06-20", len(entrant))
    entrant_end = np.where(rng.random(len(entrant)) < 0.1, begun + rng.integers(40, 400, len(entrant)), NOT_A_DATE)
    add(entrant, first[entrant], begun, entrant_end)
    left = days(rng, "2024-08-01", "2026-06-25", len(leaver))
    add(leaver, first[leaver], days(rng, "2019-01-01", "2024-03-31", len(leaver)), left)
    double = stayer[rng.random(len(stayer)) < 0.012]
    other = _pick_employer(persons["residence"].to_numpy()[double], employers, rng)
    differs = other != first[double]
    begun = days(rng, "2024-09-01", "2026-04-30", len(double))
    add(double[differs], other[differs], begun[differs], nothing(int(differs.sum())))

    person, employer, start, end = (np.concatenate(parts) for parts in zip(*rows, strict=True))
    insured = persons["insured"].to_numpy()[person]
    updated = np.where(np.isnat(end), start, end) + rng.integers(0, 12, len(start))
    seconds = rng.integers(8 * 3600, 18 * 3600, len(start))
    updated = np.minimum(updated, LAST_DAY).astype("datetime64[s]") + seconds
    return (
        pl.DataFrame(
            {
                "person": person,
                "employer": employer,
                "start_date": start,
                "end_date": end,
                "is_insured": insured,
                "updated_at": updated.astype("datetime64[us]"),
                "opened_at": (np.minimum(start + 3, LAST_DAY).astype("datetime64[s]") + seconds).astype(
                    "datetime64[us]"
                ),
            }
        )
        .join(employers.select("employer", "employer_code", "uscc", work="county", industry="industry"), on="employer")
        .join(persons.select("person", "id_type", "resident_id", "residence", "residence_kind"), on="person")
        .sort("updated_at", "person", "employer")
    )


def _trainings(persons: pl.DataFrame, spells: pl.DataFrame, number: int, rng: np.random.Generator) -> pl.DataFrame:
    """Trainings of the window.

    A third leads into a job that begins later; versions: begun, ended, corrected or withdrawn.
    """
    area = areas.load()
    later = spells.filter(pl.col("start_date") >= pl.date(2024, 9, 1)).select("person", "start_date")
    into_work = int(number * 0.35)
    chosen = later.sample(into_work, with_replacement=True, seed=int(rng.integers(2**31)))
    person = np.concatenate([chosen["person"].to_numpy(), rng.integers(0, len(persons), number - into_work)])
    start = days(rng, "2024-07-01", "2026-06-25", number)
    start[:into_work] = chosen["start_date"].to_numpy() - rng.integers(20, 150, into_work)
    start = np.maximum(start, FIRST_MONTH)
    length = rng.choice([3, 5, 10, 20, 45, 90], number, p=[0.2, 0.25, 0.25, 0.15, 0.1, 0.05])
    completion = start + length
    draw = rng.random(number)
    outcome = np.where(draw < 0.9, "02", "03")
    rural = persons["residence_kind"].to_numpy()[person] == "2"
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
    enrollment = np.char.add("PX", identifiers.to_text(identifiers.fixed_digits(stamp * 100_000_000 + running, 14)))
    base = pl.DataFrame(
        {
            "enrollment_id": enrollment,
            "person": person,
            "residence": residence,
            "venue": np.where(online, -1, venue),
            "is_online": online,
            "priority_groups": codes,
            "focus_sector": sector,
            "occupation_code": occupation,
            "provider_type": rng.choice(np.array(["01", "02", "03", "04"]), number, p=[0.2, 0.25, 0.35, 0.2]),
            "ends_in_assessment": rng.random(number) < 0.62,
            "start_date": start,
            "completion_date": completion,
            "duration_hours": hours,
            "subsidy_cny": subsidy,
            "outcome": outcome,
        },
        nan_to_null=True,
    ).join(persons.select("person", "id_type", "resident_id", "residence_kind"), on="person", maintain_order="left")
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
    )
    ended = base.with_columns(
        version=pl.lit(2),
        status=pl.col("outcome"),
        updated_at=at(completion + rng.integers(1, 15, number), clock[1]),
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
    return (
        pl.concat([begun, ended, changed])
        .filter(pl.col("updated_at") < pl.datetime(2026, 7, 1))
        .drop("outcome")
        .sort("updated_at", "enrollment_id")
    )


def _certificates(
    persons: pl.DataFrame,
    employers: pl.DataFrame,
    spells: pl.DataFrame,
    trainings: pl.DataFrame,
    rng: np.random.Generator,
) -> pl.DataFrame:
    """Certificates of the skilled, and of those who passed an assessment after training.

    Some of the skilled also hold an earlier, lower one.
    """
    holders = persons.filter(pl.col("level") != "none")
    number = len(holders)
    issued = np.where(
        rng.random(number) < 0.9,
        days(rng, "2015-01-01", "2024-06-30", number),
        days(rng, "2024-07-01", "2026-06-28", number),
    )
    level = holders["level"].to_numpy().astype(str)
    person = holders["person"].to_numpy()
    rank = np.argmax(level[:, None] == LEVELS, axis=1)
    lower = np.flatnonzero((level != "special") & (rank >= 1) & (rng.random(number) < 0.4))
    lower_day = issued[lower] - rng.integers(400, 1500, len(lower))
    keep = lower_day >= np.datetime64("2015-01-01")
    lower, lower_day = lower[keep], lower_day[keep]
    finished = trainings.filter((pl.col("version") == 2) & (pl.col("status") == "02") & pl.col("ends_in_assessment"))
    passed = finished.filter(pl.Series(rng.random(len(finished)) < 0.74))
    passed_day = passed["completion_date"].to_numpy() + rng.integers(0, 170, len(passed))
    all_levels = persons["level"].to_numpy().astype(str)
    occupations = persons["occupation"].to_numpy().astype(str)
    own = all_levels[passed["person"].to_numpy()]
    new_level = np.where(
        (own == "none") | (own == "special"), rng.choice(LEVELS[:3], len(passed), p=[0.45, 0.3, 0.25]), own
    )
    trained_occupation = passed["occupation_code"].to_numpy().astype(str)
    fitting = np.where(rng.random(len(passed)) < 0.93, trained_occupation, rng.choice(OCCUPATIONS, len(passed)))

    everyone = np.concatenate([person, person[lower], passed["person"].to_numpy()])
    levels = np.concatenate([level, LEVELS[rank[lower] - 1], new_level])
    day = np.concatenate([issued, lower_day, passed_day])
    occupation = np.concatenate([occupations[person], occupations[person[lower]], fitting])
    known = day <= LAST_DAY
    everyone, levels, day, occupation = everyone[known], levels[known], day[known], occupation[known]
    size = len(everyone)
    master = (levels == "T") | (levels == "S")
    draw = rng.random(size)
    kind = np.where(levels == "special", "03", np.where(master | (draw < 0.78) | (day >= FIRST_MONTH), "01", "02"))
    by_employer = (kind == "01") & ((rng.random(size) < 0.42) | master)
    area_codes = areas.load().codes
    county = persons["county"].to_numpy()[everyone]
    index = np.arange(size, dtype=np.int64)
    number_text = _certificate_numbers(kind, levels, day, by_employer, index)
    order = spells.group_by("person").agg(pl.col("employer").first(), pl.col("uscc").first())
    uscc = pl.DataFrame({"person": everyone}).join(order, on="person", how="left", maintain_order="left")["uscc"]
    revoked = rng.random(size) < 0.006
    never = revoked & (rng.random(size) < 0.2)
    revoked_on = np.where(revoked & ~never, np.maximum(day, FIRST_MONTH) + rng.integers(20, 400, size), NOT_A_DATE)
    # A revocation that would come after the window has not happened yet.
    revoked &= ~(revoked_on > LAST_DAY)
    revoked_on = np.where(revoked, revoked_on, NOT_A_DATE)
    valid_until = np.where((kind == "03") & (rng.random(size) < 0.25), day + 365 * 5, NOT_A_DATE)
    entered = np.minimum(day + rng.integers(1, 9, size), LAST_DAY).astype("datetime64[s]") + rng.integers(
        30000, 64000, size
    )
    changed = (
        np.minimum(np.where(np.isnat(revoked_on), day + 30, revoked_on) + 1, LAST_DAY).astype("datetime64[s]") + 70000
    )
    return (
        pl.DataFrame(
            {
                "person": everyone,
                "certificate_type": kind,
                "certificate_number": number_text,
                "occupation_code": occupation,
                "level_code": np.where(kind == "03", "", levels),
                "issue_county": county,
                "issued_on": day,
                "valid_until": valid_until,
                "is_direct_recognition": (kind == "01") & (rng.random(size) < 0.03),
                "uscc": uscc,
                "by_employer": by_employer,
                "is_revoked": revoked,
                "revoked_on": revoked_on,
                "entered_at": entered.astype("datetime64[us]"),
                "updated_at": np.where(revoked, changed, entered).astype("datetime64[us]"),
            }
        )
        .with_columns(
            level_code=pl.when(pl.col("level_code") == "").then(None).otherwise("level_code"),
            uscc=pl.when("by_employer").then("uscc"),
            occupation_code=pl.when(pl.col("occupation_code") == "").then(None).otherwise("occupation_code"),
            issue_county_code=pl.col("issue_county").replace_strict(
                dict(enumerate(area_codes)), return_dtype=pl.String
            ),
        )
        .join(persons.select("person", "id_type", "resident_id"), on="person")
        .sort("updated_at", "certificate_number")
    )


def _certificate_numbers(
    kind: NDArray[np.str_],
    level: NDArray[np.str_],
    day: Dates,
    by_employer: NDArray[np.bool_],
    index: NDArray[np.int64],
) -> NDArray[np.str_]:
    """Numbers as in life: 22 characters for type 01, 16 digits for 02, Z33 + year + running number for 03."""
    year = identifiers.to_text(identifiers.fixed_digits((day.astype("datetime64[Y]").astype(int) + 1970) % 100, 2))
    site = identifiers.to_text(identifiers.fixed_digits(index // 1_000_000 + 1, 6))
    serial = identifiers.to_text(identifiers.fixed_digits(index % 1_000_000, 6))
    eight = identifiers.to_text(identifiers.fixed_digits(index % 100_000_000, 8))
    add = np.char.add
    one = add(add(add(add(add(np.where(by_employer, "Y", "S"), "000033"), site), year), level), serial)
    # 16 digits: year, province, city, agency kind, agency, level, serial.
    agency = np.array([text[:3] for text in eight])
    tail = np.array([text[3:] for text in eight])
    two = add(add(add(add(add(year, "3301"), "0"), agency), level), tail)
    three = add(add("Z33", year), add("00", eight))
    return np.where(kind == "01", one, np.where(kind == "02", two, three))
