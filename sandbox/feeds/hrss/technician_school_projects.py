"""hrss/technician_school_projects (一流技师学院与高水平专业群建设项目, jg02): changes by update time, beside jg01.

Projects are named in rounds and accepted in rounds; some of the schools that they were named for have merged since.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from sandbox.dirt.kinds import (
    ANY,
    Kind,
    code_kind,
    county_kinds,
    date_kinds,
    each_text,
    filled,
    flip_last,
    missing_word_kinds,
    put,
    required_kind,
)
from sandbox.dirt.spoil import CLEAN, not_refused, spoil
from sandbox.feeds.model import Feed, Scene, Table, Versions
from sandbox.feeds.terms import handed_over
from sandbox.feeds.texts import county_code, day, moment
from sandbox.population.codes import NOT_A_DATE
from sandbox.population.schools import technician_schools

NAME = "hrss/technician_school_projects"
FIELDS = {
    "project_id": "bjx001", "school_code": "bjx002", "school_uscc": "bjx003", "project_kind": "bjx004",
    "school_county_code": "bjx005", "named_on": "bjx006", "accepted_on": "bjx007", "status": "bjx008",
    "updated_at": "aae036",
}  # fmt: skip
# A few more than the plan wants built: colleges were named once, specialty groups in two rounds.
COLLEGES, GROUPS = 14, 80
COLLEGES_NAMED = "2022-04-15"
GROUPS_NAMED = np.array(["2022-11-20", "2024-05-10"], "datetime64[D]")
ACCEPTED = np.array(["2025-12-10", "2026-05-20", "2026-11-20"], "datetime64[D]")
SHARE_ACCEPTED, SHARE_ENDED = 0.75, 0.03
# What came before the register was kept stands in it once, as it was by then.
REGISTER_BEGUN = "2026-01-01"


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    building = pl.col("status") == "01"
    return [
        *county_kinds("school_county_code"),
        *date_kinds("named_on"),
        required_kind("project_id"),
        required_kind("school_uscc"),
        Kind("id_pattern", ("project_id_pattern",), each_text("project_id", lambda text: text[:-1]), ANY),
        code_kind("project_kind", "03"),
        code_kind("status", "04"),
        Kind("accepted_while_building", ("accepted_on_for_status",), put(accepted_on="2026-05-20"), building, 3),
        Kind("accepted_without_date", ("accepted_on_for_status",), put(status="02"), building, 3),
        Kind(
            "accepted_before_named", ("dates_in_order",), put(status="02", accepted_on="2018-01-02"), building, 3
        ),
        Kind("uscc_check", ("uscc_check_digit",), each_text("school_uscc", flip_last), filled("school_uscc")),
        *missing_word_kinds("accepted_on"),
        Kind("exact_duplicate", (), put(), ANY, 2, "", "exact"),
    ]  # fmt: skip


def projects(scene: Scene) -> pl.DataFrame:
    """All projects, typed, in their last state; `named_at` and `updated_at` say when the department knew."""
    rng = scene.stream(NAME, 1)
    # The new schools that took over codes were not there when projects were named.
    table = technician_schools(scene.parameters.seed).filter(pl.col("opened_on") < pl.date(2022, 1, 1))
    college = np.flatnonzero((table["kind"] == "technician_college").to_numpy())
    gone = np.flatnonzero(table["merged_on"].is_not_null().to_numpy())
    school = np.concatenate(
        [rng.choice(college, COLLEGES, replace=False), gone[:2], rng.integers(0, len(table), GROUPS - 2)]
    )
    size = len(school)
    named = np.concatenate(
        [np.full(COLLEGES, np.datetime64(COLLEGES_NAMED)), np.sort(rng.choice(GROUPS_NAMED, GROUPS))]
    )
    draw = rng.random(size)
    accepted = np.where(draw < SHARE_ACCEPTED, rng.choice(ACCEPTED, size, p=[0.35, 0.3, 0.35]), NOT_A_DATE)
    accepted = np.where(accepted <= np.datetime64(scene.horizon), accepted, NOT_A_DATE)
    ended = draw >= 1 - SHARE_ENDED
    seconds = rng.integers(9 * 3600, 17 * 3600, size)
    named_at = (named + 15).astype("datetime64[s]") + seconds
    changed_at = np.where(ended, named + 700, accepted + 10).astype("datetime64[s]") + seconds
    has_changed = ended | ~np.isnat(accepted)
    of_school = table[school.tolist()]
    return pl.DataFrame(
        {
            "serial": np.arange(1, size + 1),
            "school": of_school["school"],
            "school_code": of_school["school_code"],
            "school_uscc": of_school["uscc"],
            "school_county": of_school["county"],
            "project_kind": np.where(np.arange(size) < COLLEGES, "01", "02"),
            "named_on": named,
            "accepted_on": accepted,
            "status": np.where(ended, "03", np.where(np.isnat(accepted), "01", "02")),
            "named_at": named_at.astype("datetime64[us]"),
            "updated_at": np.where(has_changed, changed_at, named_at).astype("datetime64[us]"),
        }
    )


def rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Projects in their last state, as the department writes them."""
    return frame.select(
        project_id=pl.format("XM{}", pl.col("serial").cast(pl.String).str.zfill(6)),
        school_code="school_code",
        school_uscc="school_uscc",
        project_kind="project_kind",
        school_county_code=county_code("school_county"),
        named_on=day("named_on"),
        accepted_on=day("accepted_on"),
        status="status",
        updated_at=moment("updated_at"),
        _serial="serial",
        _named_at=moment("named_at"),
    )


def make(scene: Scene) -> Iterator[Versions]:
    """The last state of each project and, of those that were accepted or ended, the one before."""
    typed = projects(scene)
    current = rows(typed).with_columns(_key="project_id", _from=handed_over("updated_at"), _until=pl.lit(""))
    changed = (pl.col("status") != "01") & (pl.col("updated_at") >= REGISTER_BEGUN)
    building = current.filter(changed).with_columns(
        status=pl.lit("01"), accepted_on=pl.lit(""), updated_at="_named_at", _from=handed_over("_named_at"),
        _until="_from", **CLEAN,
    )  # fmt: skip
    spoilt = spoil(current, kinds(), scene.parameters.dirt, scene.stream(NAME), ~changed)
    scene.accepted[NAME] = not_refused(typed, spoilt, "serial")
    yield Versions(pl.concat([spoilt, building]))


FEED = Feed(NAME, Table("jg02", "技工院校建设项目（合成数据）", FIELDS, moment="aae036"), make)
