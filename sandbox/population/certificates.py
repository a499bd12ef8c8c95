"""Certificates."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandbox import areas, identifiers
from sandbox.population.codes import FIRST_MONTH, LAST_DAY, LEVELS, NOT_A_DATE, OCCUPATIONS, Dates, days

FIRST_OF_THE_HIGHEST = "2022-06-01"
RESIDENCE_STREAM = 952
# Of the certificates before the window and since, so many do not say where the person lived (assumed).
SHARES_WITHOUT_RESIDENCE = (0.7, 0.12)
SHARE_FILED_AT_CITY, SHARE_FILED_AT_PROVINCE = 0.05, 0.03


def make_certificates(
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
        rng.random(number) < 0.83,
        days(rng, "2015-01-01", FIRST_MONTH - 1, number),
        days(rng, FIRST_MONTH, LAST_DAY, number),
    )
    # The two highest levels exist since 2022.
    above = np.isin(holders["level"].to_numpy().astype(str), ["T", "S"])
    issued = np.where(above, days(rng, FIRST_OF_THE_HIGHEST, LAST_DAY, number), issued)
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
    county = _issued_in(persons["county"].to_numpy()[everyone], rng)
    index = np.arange(size, dtype=np.int64)
    number_text = _certificate_numbers(kind, levels, day, by_employer, index, county)
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
                dict(enumerate(areas.all_codes())), return_dtype=pl.String
            ),
        )
        .join(persons.select("person", "id_type", "resident_id"), on="person")
        .sort("updated_at", "certificate_number")
    )


def with_residences(certificates: pl.DataFrame, persons: pl.DataFrame, seed: int) -> pl.DataFrame:
    """*certificates* with `lives_in` and `urban_rural_code` at issue, which older ones mostly lack."""
    rng = np.random.default_rng([seed, RESIDENCE_STREAM])
    old = (certificates["issued_on"] < FIRST_MONTH.astype(object)).to_numpy()
    is_said = rng.random(len(certificates)) >= np.where(old, *SHARES_WITHOUT_RESIDENCE)
    places = ("lives_in", "urban_rural_code")
    lived = certificates.join(persons.select("person", *places), on="person", maintain_order="left")
    return lived.with_columns(
        pl.when(pl.Series(is_said)).then(place).otherwise(pl.lit("")).alias(place) for place in places
    )


def _issued_in(county: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Where certificates are filed: mostly in the county of work, some at its city, some at the province."""
    place = {code: number for number, code in enumerate(areas.all_codes())}
    city = np.array([place[areas.own_level_of(code)] for code in areas.load().codes])
    draw = rng.random(len(county))
    at_city = np.where(draw < SHARE_FILED_AT_CITY, city[county], county)
    return np.where(draw >= 1 - SHARE_FILED_AT_PROVINCE, place[areas.PROVINCE_OWN_LEVEL], at_city)


def _certificate_numbers(
    kind: NDArray[np.str_],
    level: NDArray[np.str_],
    day: Dates,
    by_employer: NDArray[np.bool_],
    index: NDArray[np.int64],
    issue_county: NDArray[np.int64],
) -> NDArray[np.str_]:
    """Numbers as in life: 22 characters for type 01, 16 digits for 02, Z33 + year + running number for 03.

    The agency of type 01 is 0000 for what is filed at the province.
    """
    filed_at = [code if code != areas.PROVINCE_OWN_LEVEL else "330000" for code in areas.all_codes()]
    agency_of = np.array([code[2:6].rjust(4, "0") for code in filed_at])
    year = identifiers.to_text(identifiers.fixed_digits((day.astype("datetime64[Y]").astype(int) + 1970) % 100, 2))
    site = identifiers.to_text(identifiers.fixed_digits(index // 1_000_000 + 1, 6))
    serial = identifiers.to_text(identifiers.fixed_digits(index % 1_000_000, 6))
    eight = identifiers.to_text(identifiers.fixed_digits(index % 100_000_000, 8))
    add = np.char.add
    filed = add(np.where(by_employer, "Y", "S"), agency_of[issue_county])
    one = add(add(add(add(add(filed, "33"), site), year), level), serial)
    # 16 digits: year, province, city, agency kind, agency, level, serial.
    agency = np.array([text[:3] for text in eight])
    tail = np.array([text[3:] for text in eight])
    two = add(add(add(add(add(year, "3301"), "0"), agency), level), tail)
    three = add(add("Z33", year), add("00", eight))
    return np.where(kind == "01", one, np.where(kind == "02", two, three))
