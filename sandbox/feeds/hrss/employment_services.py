"""hrss/employment_services (公共就业服务记录, dy18): changes by update time, in the departmental database.

Most trainees are served between three months before their course and half a year after it; others are served, too.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from sandbox import areas
from sandbox.dirt.kinds import (
    ANY,
    RESIDENT,
    Kind,
    both,
    code_kind,
    county_kinds,
    date_kinds,
    each_text,
    identity_kinds,
    put,
    required_kind,
    wrong_check,
)
from sandbox.dirt.spoil import CLEAN, not_refused, spoil
from sandbox.feeds.model import Feed, Scene, Table, Versions
from sandbox.feeds.texts import county_code, day, moment
from sandbox.population.codes import LAST_DAY, days

NAME = "hrss/employment_services"
FIELDS = {
    "service_id": "bcf001", "id_type": "aac058", "resident_id": "aac147", "service_kind": "bcf002",
    "served_on": "bcf003", "service_county_code": "aab301", "updated_at": "aae036", "is_valid": "aae100",
}  # fmt: skip
FIRST_SERVICE = "2023-10-01"
SERVICES, SERVICE_SHARES = np.array(["01", "02", "03", "04", "05"]), (0.4, 0.25, 0.2, 0.05, 0.1)
SHARE_OF_TRAININGS, OTHERS_TO_TRAININGS = 0.65, 0.3
SHARE_SERVED_BY_CITY, SHARE_WITHDRAWN = 0.06, 0.01


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    return [
        *identity_kinds(),
        *county_kinds("service_county_code"),
        *date_kinds("served_on"),
        required_kind("service_id"),
        required_kind("served_on"),
        required_kind("service_county_code"),
        Kind("id_pattern", ("service_id_pattern",), each_text("service_id", lambda text: text[:-1]), ANY),
        code_kind("service_kind", "06"),
        code_kind("is_valid", "2"),
        Kind("served_too_early", ("served_on_range",), put(served_on="2014-12-31"), ANY),
        Kind(
            "two_faults", ("service_kind_code", "resident_id_check_digit"),
            both(each_text("resident_id", wrong_check), put(service_kind="06")), RESIDENT, 2,
        ),
        Kind("exact_duplicate", (), put(), ANY, 2, "", "exact"),
        Kind("conflicting_duplicate", ("key_unique",), put(served_on="2024-04-02"), ANY, 1, "", "conflict"),
    ]  # fmt: skip


def services(scene: Scene) -> pl.DataFrame:
    """All services, typed; `county` is an index of the areas' codes, own levels among them."""
    rng = scene.stream(NAME, 1)
    trainings = scene.people.trainings.filter(pl.col("version") == 1).select(
        "person", "start_date", "planned_end_date", "residence"
    )
    served = trainings.filter(pl.Series(rng.random(len(trainings)) < SHARE_OF_TRAININGS))
    before = rng.random(len(served)) < 0.4
    near = np.where(
        before,
        served["start_date"].to_numpy() - rng.integers(0, 90, len(served)),
        served["planned_end_date"].to_numpy() + rng.integers(0, 180, len(served)),
    )
    others = round(len(trainings) * OTHERS_TO_TRAININGS)
    persons = scene.people.persons.select("person", "residence")[rng.integers(0, len(scene.people.persons), others)]
    everyone = np.concatenate([served["person"].to_numpy(), persons["person"].to_numpy()])
    residence = np.concatenate([served["residence"].to_numpy(), persons["residence"].to_numpy()])
    day_of = np.concatenate([near, days(rng, FIRST_SERVICE, LAST_DAY, others)])
    size = len(everyone)
    place = {code: number for number, code in enumerate(areas.all_codes())}
    city = np.array([place[areas.own_level_of(code)] for code in areas.load().codes])
    entered = (day_of + rng.integers(0, 4, size)).astype("datetime64[s]") + rng.integers(9 * 3600, 18 * 3600, size)
    return (
        pl.DataFrame(
            {
                "serial": np.arange(1, size + 1),
                "person": everyone,
                "county": np.where(rng.random(size) < SHARE_SERVED_BY_CITY, city[residence], residence),
                "service_kind": rng.choice(SERVICES, size, p=SERVICE_SHARES),
                "served_on": day_of,
                "is_withdrawn": rng.random(size) < SHARE_WITHDRAWN,
                "entered_at": entered.astype("datetime64[us]"),
            }
        )
        .with_columns(withdrawn_at=pl.col("entered_at") + pl.duration(days=15))
        .filter(pl.when("is_withdrawn").then("withdrawn_at").otherwise("entered_at").dt.date() <= scene.horizon)
        .join(scene.people.persons.select("person", "id_type", "resident_id"), on="person", maintain_order="left")
    )


def rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Services in their last state, as the department writes them."""
    return frame.select(
        service_id=pl.format(
            "FW{}{}", pl.col("served_on").dt.strftime("%Y%m"), pl.col("serial").cast(pl.String).str.zfill(8)
        ),
        id_type="id_type",
        resident_id="resident_id",
        service_kind="service_kind",
        served_on=day("served_on"),
        service_county_code=county_code("county"),
        updated_at=pl.when("is_withdrawn").then(moment("withdrawn_at")).otherwise(moment("entered_at")),
        is_valid=pl.when("is_withdrawn").then(pl.lit("0")).otherwise(pl.lit("1")),
        _serial="serial",
        _entered_at=moment("entered_at"),
    )


def make(scene: Scene) -> Iterator[Versions]:
    """The last state of each record and, for withdrawn ones, the one before."""
    typed = services(scene)
    withdrawn = pl.col("is_valid") == "0"
    current = rows(typed).with_columns(_key="service_id", _from="updated_at", _until=pl.lit(""))
    before = current.filter(withdrawn).with_columns(
        is_valid=pl.lit("1"), updated_at="_entered_at", _from="_entered_at", _until="updated_at", **CLEAN
    )
    spoilt = spoil(current, kinds(), scene.parameters.dirt, scene.stream(NAME), ~withdrawn)
    scene.accepted[NAME] = not_refused(typed, spoilt, "serial")
    yield Versions(pl.concat([spoilt, before]))


FEED = Feed(NAME, Table("dy18", "公共就业服务记录（合成数据）", FIELDS, moment="aae036"), make)
