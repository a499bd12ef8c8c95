"""hrss/technician_schools (技工院校、预备技师班学籍, jg01): changes by update time, in the departmental database.

Some students take a leave of absence; of those who return half have their old enrolment again and half a new one that
names it. The province has it all when a term ends. A few schools have merged, and their codes are other schools' since.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandbox.dirt.kinds import (
    ANY,
    RESIDENT,
    Kind,
    both,
    code_kind,
    county_kinds,
    date_kinds,
    each_text,
    filled,
    flip_last,
    identity_kinds,
    missing_word_kinds,
    outside_kinds,
    put,
    required_kind,
    wrong_check,
)
from sandbox.dirt.spoil import CLEAN, not_refused, spoil
from sandbox.feeds.model import Feed, Scene, Table, Versions
from sandbox.feeds.terms import handed_over
from sandbox.feeds.texts import county_code, day, moment
from sandbox.population.codes import LAST_DAY, Dates
from sandbox.population.schools import technician_schools

NAME = "hrss/technician_schools"
FIELDS = {
    "enrollment_id": "bjg001", "id_type": "aac058", "resident_id": "aac147", "school_code": "bjg002",
    "school_uscc": "bjg003", "school_county_code": "bjg004", "origin_county_code": "bjg005", "class_type": "bjg006",
    "entrant_type": "bjg007", "enrolled_on": "bjg008", "entry_kind": "bjg009", "resumes_enrollment_id": "bjg010",
    "status": "bjg011", "updated_at": "aae036",
}  # fmt: skip
ENROLLED_A_YEAR, LEAST_A_YEAR = 60_000, 150
FIRST_YEAR = 2022
SHARE_IN_SPRING = 0.1
CLASSES, CLASS_SHARES = np.array(["01", "02", "03", "04"]), (0.15, 0.1, 0.4, 0.35)
ENTRANTS = np.array(["01", "02", "03", "04", "05"])
# Graduates without work come for the classes of technicians; leavers of schools for the others.
SHARES_OF_TECHNICIANS, SHARES_OF_OTHERS = (0.45, 0.0, 0.2, 0.3, 0.05), (0.0, 0.7, 0.25, 0.0, 0.05)
SHARE_ON_LEAVE, SHARE_BACK, SHARE_BACK_ANEW, SHARE_LEFT, SHARE_WITHDRAWN = 0.08, 0.7, 0.5, 0.04, 0.01
SHARE_OF_UNKNOWN_ORIGIN = 0.03


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    is_new = pl.col("entry_kind") == "1"
    return [
        *identity_kinds(),
        *county_kinds("school_county_code"),
        *county_kinds("origin_county_code"),
        *outside_kinds("origin_county_code"),
        *date_kinds("enrolled_on"),
        required_kind("enrollment_id"),
        required_kind("school_uscc"),
        Kind("id_pattern", ("enrollment_id_pattern",), each_text("enrollment_id", lambda text: text[:-1]), ANY),
        Kind("school_code_pattern", ("school_code_pattern",), each_text("school_code", lambda text: text[1:]), ANY),
        code_kind("class_type", "05"),
        code_kind("entrant_type", "06"),
        code_kind("status", "05"),
        Kind("return_of_nobody", ("resumption_names_enrollment",), put(resumes_enrollment_id=""), ~is_new, 12),
        Kind(
            "new_and_returned", ("resumption_names_enrollment",), put(resumes_enrollment_id="XJ202200000001"), is_new, 2
        ),
        Kind("uscc_check", ("uscc_check_digit",), each_text("school_uscc", flip_last), filled("school_uscc")),
        *missing_word_kinds("origin_county_code"),
        Kind(
            "two_faults", ("class_type_code", "resident_id_check_digit"),
            both(each_text("resident_id", wrong_check), put(class_type="05")), RESIDENT, 2,
        ),
        Kind("exact_duplicate", (), put(), ANY, 2, "", "exact"),
    ]  # fmt: skip


def _schools_of(
    scene: Scene, enrolled: Dates, is_of_technicians: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Row of an open school for each enrolment; classes of technicians are those of technician colleges alone."""
    table = technician_schools(scene.parameters.seed)
    index_of = {school: row for row, school in enumerate(table["school"])}
    opened, merged = table["opened_on"].to_numpy(), table["merged_on"].to_numpy()
    took = np.array([index_of.get(school, -1) for school in table["merged_into"]])
    college = (table["kind"] == "technician_college").to_numpy()
    old = np.flatnonzero(opened < np.datetime64("2022-01-01"))
    everywhere = rng.integers(0, len(table), len(enrolled))
    fallback = rng.choice(old, len(enrolled))
    chosen = np.where(opened[everywhere] > enrolled, fallback, everywhere)
    chosen = np.where(is_of_technicians, rng.choice(np.flatnonzero(college), len(enrolled)), chosen)
    return np.where(merged[chosen] <= enrolled, took[chosen], chosen)


def enrollments(scene: Scene) -> pl.DataFrame:
    """Every state of every enrolment, typed, a row each; `serial` is the enrolment, `updated_at` since when."""
    rng = scene.stream(NAME, 1)
    a_year = max(round(ENROLLED_A_YEAR * scene.parameters.scale), LEAST_A_YEAR)
    years = np.repeat(np.arange(FIRST_YEAR, scene.horizon.year + 1), a_year)
    size = len(years)
    first = (years - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    in_spring = rng.random(size) < SHARE_IN_SPRING
    enrolled = np.where(in_spring, first + 55, first + 243)
    class_type = rng.choice(CLASSES, size, p=CLASS_SHARES)
    of_technicians = np.isin(class_type, ["01", "02"])
    entrant = np.where(
        of_technicians,
        rng.choice(ENTRANTS, size, p=SHARES_OF_TECHNICIANS),
        rng.choice(ENTRANTS, size, p=SHARES_OF_OTHERS),
    )
    persons = rng.permutation(len(scene.people.persons))[:size]
    persons = np.resize(persons, size)
    on_leave = rng.random(size) < SHARE_ON_LEAVE
    leave = enrolled + rng.integers(40, 500, size)
    returns = on_leave & (rng.random(size) < SHARE_BACK)
    back = leave + rng.integers(120, 400, size)
    anew = np.flatnonzero(returns & (rng.random(size) < SHARE_BACK_ANEW))
    left = ~on_leave & (rng.random(size) < SHARE_LEFT)
    withdrawn = ~on_leave & ~left & (rng.random(size) < SHARE_WITHDRAWN)
    school = _schools_of(scene, enrolled, of_technicians, rng)
    every = np.concatenate([np.arange(size), anew])
    is_return = np.arange(len(every)) >= size
    on = np.concatenate([enrolled, back[anew]])
    entered = on + rng.integers(8, 40, len(every))
    seconds = rng.integers(9 * 3600, 17 * 3600, len(every))
    serial = np.arange(1, len(every) + 1)
    schools = technician_schools(scene.parameters.seed)[school[every].tolist()]
    base = pl.DataFrame(
        {
            "serial": serial,
            "person": persons[every],
            "school": schools["school"],
            "school_code": schools["school_code"],
            "school_uscc": schools["uscc"],
            "school_county": schools["county"],
            "has_origin": rng.random(len(every)) >= SHARE_OF_UNKNOWN_ORIGIN,
            "class_type": class_type[every],
            "entrant_type": entrant[every],
            "enrolled_on": on,
            "entry_kind": np.where(is_return, "2", "1"),
            "resumes": np.where(is_return, every + 1, 0),
            "resumed_from": enrolled[every],
        }
    ).join(
        scene.people.persons.select("person", "id_type", "resident_id", "registration"),
        on="person",
        maintain_order="left",
    )

    def state(chosen: NDArray[np.bool_], status: str, on: NDArray[Any]) -> pl.DataFrame:
        rows = np.flatnonzero(chosen)
        at = (on[rows].astype("datetime64[s]") + seconds[rows]).astype("datetime64[us]")
        return pl.DataFrame({"serial": serial[rows], "status": [status] * len(rows), "updated_at": at})

    def of_first(values: NDArray[Any]) -> NDArray[Any]:
        return np.concatenate([values, np.zeros(len(anew), dtype=values.dtype)])

    resumed = returns.copy()
    resumed[anew] = False
    stays = of_first(~on_leave & ~left & ~withdrawn)
    states = pl.concat(
        [
            state(np.ones(len(every), dtype=bool), "01", entered),
            state(of_first(on_leave), "02", of_first(leave + 40)),
            state(of_first(resumed), "01", of_first(back + 45)),
            state(of_first(left), "04", of_first(enrolled + 200)),
            state(of_first(withdrawn), "09", of_first(enrolled + 75)),
            state(stays, "03", of_first(first + 3 * 365 + 190)),
        ]
    ).filter(pl.col("updated_at").dt.date() <= min(scene.horizon, LAST_DAY.astype(object)))
    return states.join(base, on="serial", maintain_order="left").sort("serial", "updated_at")


def standing(states: pl.DataFrame, last: date) -> pl.DataFrame:
    """The last of *states* of each enrolment that the province had on the evening of `last`."""
    had = handed_over("_changed") <= pl.lit(f"{last} 23:59:59")
    return (
        states.with_columns(_changed=moment("updated_at"))
        .filter(had)
        .sort("serial", "updated_at")
        .unique("serial", keep="last", maintain_order=True)
        .filter(pl.col("status") != "09")
        .drop("_changed")
    )


def _number(serial: str, enrolled_on: str) -> pl.Expr:
    return pl.format("XJ{}{}", pl.col(enrolled_on).dt.strftime("%Y"), pl.col(serial).cast(pl.String).str.zfill(8))


def rows(frame: pl.DataFrame) -> pl.DataFrame:
    """States of enrolments as the department writes them."""
    return frame.select(
        enrollment_id=_number("serial", "enrolled_on"),
        id_type="id_type",
        resident_id="resident_id",
        school_code="school_code",
        school_uscc="school_uscc",
        school_county_code=county_code("school_county"),
        origin_county_code=pl.when("has_origin").then("registration").otherwise(pl.lit("")),
        class_type="class_type",
        entrant_type="entrant_type",
        enrolled_on=day("enrolled_on"),
        entry_kind="entry_kind",
        resumes_enrollment_id=pl.when(pl.col("resumes") > 0)
        .then(_number("resumes", "resumed_from"))
        .otherwise(pl.lit("")),
        status="status",
        updated_at=moment("updated_at"),
        _serial="serial",
    )


def make(scene: Scene) -> Iterator[Versions]:
    """Every state of each enrolment; only what was sent once may be wrong."""
    typed = enrollments(scene)
    states = (
        rows(typed)
        .with_columns(
            _key="enrollment_id",
            _from=handed_over("updated_at"),
            _states=pl.len().over("_serial"),
        )
        .with_columns(_until=pl.col("_from").shift(-1).over("_serial", order_by="updated_at").fill_null(""))
    )
    last = pl.col("_until") == ""
    current, older = states.filter(last), states.filter(~last)
    spoilt = spoil(current, kinds(), scene.parameters.dirt, scene.stream(NAME), pl.col("_states") == 1)
    scene.accepted[NAME] = not_refused(typed, spoilt, "serial")
    yield Versions(pl.concat([spoilt, older.with_columns(**CLEAN)]))


FEED = Feed(NAME, Table("jg01", "技工院校学籍（合成数据）", FIELDS, moment="aae036"), make)
