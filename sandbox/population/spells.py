"""Employment spells."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandbox import areas
from sandbox.population.codes import FIRST_WAGE_MONTH, LAST_DAY, NOT_A_DATE, Dates, days
from sandbox.population.employers import pick

SHARE_WITH_TWO_EMPLOYERS = 0.04
# Nobody leaves or enters before wages are paid; who leaves had begun three months before that, and second posts begin
# ten months before.
FIRST_CHANGE, LAST_OLD_START, FIRST_SECOND_POST = FIRST_WAGE_MONTH + 31, FIRST_WAGE_MONTH - 93, FIRST_WAGE_MONTH - 306
# Work with wages that nobody registered; the reverse, registered work without insurance, is that of the uninsured.
SHARE_UNREGISTERED = 0.03
# 就业形式: with an employer, own business, flexible, public-welfare post (assumed).
FORMS, FORM_SHARES = np.array(["1", "2", "3", "4"]), (0.92, 0.03, 0.04, 0.01)


# 单位类型 of those who have no employer of their own.
TYPE_OF_FORM = {"2": "04", "3": "04", "4": "05"}

PLACES = ("lives_in", "urban_rural_code", "registration", "registration_kind")
"""Where a person lives and is registered, as the departments write it."""


def neighbouring(county: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """For each county another one of the same city."""
    city_of = areas.load().city_index
    chosen = county.copy()
    for city in range(int(city_of.max()) + 1):
        members = np.flatnonzero(city_of == city)
        rows = np.flatnonzero(city_of[county] == city)
        place = np.searchsorted(members, county[rows])
        chosen[rows] = members[(place + rng.integers(1, len(members), len(rows))) % len(members)]
    return chosen


def make_spells(persons: pl.DataFrame, employers: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Employment spells: stayers, movers (with a gap between two), entrants, leavers; some persons never work."""
    number = len(persons)
    county = persons["county"].to_numpy()
    kind = rng.choice(5, number, p=[0.46, 0.28, 0.15, 0.09, 0.02])
    stayer, mover, entrant, leaver = (np.flatnonzero(kind == code) for code in range(4))
    first = pick(county, employers, rng)
    rows: list[tuple[NDArray[np.int64], NDArray[np.int64], Dates, Dates]] = []

    def add(who: NDArray[np.int64], employer: NDArray[np.int64], start: Dates, end: Dates) -> None:
        known = start <= LAST_DAY
        rows.append((who[known], employer[known], start[known], np.where(end > LAST_DAY, NOT_A_DATE, end)[known]))

    def nothing(size: int) -> Dates:
        return np.full(size, NOT_A_DATE)

    add(stayer, first[stayer], days(rng, "2019-01-01", FIRST_WAGE_MONTH - 1, len(stayer)), nothing(len(stayer)))
    ended = days(rng, FIRST_CHANGE, LAST_DAY - 60, len(mover))
    add(mover, first[mover], days(rng, "2019-01-01", LAST_OLD_START, len(mover)), ended)
    again = ended + 1 + (rng.exponential(75, len(mover))).astype(int)
    moved_county = np.where(rng.random(len(mover)) < 0.75, county[mover], persons["residence"].to_numpy()[mover])
    second = pick(moved_county, employers, rng)
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
    begun = days(rng, FIRST_CHANGE, LAST_DAY, len(entrant))
    entrant_end = np.where(rng.random(len(entrant)) < 0.1, begun + rng.integers(40, 400, len(entrant)), NOT_A_DATE)
    add(entrant, first[entrant], begun, entrant_end)
    left = days(rng, FIRST_CHANGE, LAST_DAY, len(leaver))
    add(leaver, first[leaver], days(rng, "2019-01-01", LAST_OLD_START, len(leaver)), left)
    # Two employers at a time: half of these persons work in a second county of their city, too.
    double = stayer[rng.random(len(stayer)) < SHARE_WITH_TWO_EMPLOYERS]
    second_county = np.where(rng.random(len(double)) < 0.5, neighbouring(county[double], rng), county[double])
    other = pick(second_county, employers, rng)
    differs = other != first[double]
    begun = days(rng, FIRST_SECOND_POST, LAST_DAY - 60, len(double))
    add(double[differs], other[differs], begun[differs], nothing(int(differs.sum())))

    person, employer, start, end = (np.concatenate(parts) for parts in zip(*rows, strict=True))
    insured = persons["insured"].to_numpy()[person]
    updated = np.where(np.isnat(end), start, end) + rng.integers(0, 12, len(start))
    seconds = rng.integers(8 * 3600, 18 * 3600, len(start))
    updated = np.minimum(updated, LAST_DAY).astype("datetime64[s]") + seconds
    form = rng.choice(FORMS, len(start), p=FORM_SHARES)
    is_registered = (rng.random(len(start)) >= SHARE_UNREGISTERED) | ~insured
    return (
        pl.DataFrame(
            {
                "person": person,
                "employer": employer,
                "start_date": start,
                "end_date": end,
                "is_insured": insured,
                "employment_form": form,
                "is_registered": is_registered,
                "updated_at": updated.astype("datetime64[us]"),
                "opened_at": (np.minimum(start + 3, LAST_DAY).astype("datetime64[s]") + seconds).astype(
                    "datetime64[us]"
                ),
            }
        )
        .join(employers.select("employer", "employer_code", "uscc", work="county", industry="industry"), on="employer")
        .join(persons.select("person", "id_type", "resident_id", *PLACES), on="person")
        .sort("updated_at", "person", "employer")
    )


def with_employer_types(spells: pl.DataFrame, types: pl.DataFrame) -> pl.DataFrame:
    """*spells* with `employer_type`: the employer's, or that of a form of employment without one."""
    own = pl.col("employment_form").replace_strict(TYPE_OF_FORM, default=None, return_dtype=pl.String)
    return spells.join(types, on="employer", maintain_order="left").with_columns(
        employer_type=pl.coalesce(own, "employer_type")
    )
