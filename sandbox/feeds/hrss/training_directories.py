"""hrss/training_directories (培训目录): the full list of all entries ever valid, by the gateway's marks of pages.

Counties and cities list what to train for and who may train, for a year at a time; the province and the cities list
the occupations in short supply. Some lists lapse before the next one is issued, some are revised in between.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandbox import areas
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
from sandbox.dirt.spoil import not_refused, spoil
from sandbox.feeds.model import DataSet, Feed, Scene, Versions
from sandbox.feeds.paging import Cursor
from sandbox.feeds.texts import day, moment
from sandbox.population.codes import OCCUPATIONS, days
from sandbox.population.directories import directory_areas, projects, providers

NAME = "hrss/training_directories"
FIELDS = {
    "directory_id": "directoryId", "directory_kind": "directoryKind", "area_code": "areaCode",
    "entry_code": "entryCode", "occupation_code": "occupationCode", "provider_uscc": "providerUscc",
    "valid_from": "validFrom", "valid_until": "validUntil", "revised_on": "revisedOn",
}  # fmt: skip
NEEDS, PROVIDER, SHORTAGE = "01", "02", "03"
FIRST_YEAR = 2023
SHARE_LISTED, SHARE_REVISED, SHARE_ADDED = 0.75, 0.25, 0.2
LISTED_BY_PROVINCE, LISTED_BY_CITY = 9, 5
SHARE_DISTRICTS_ON_CITY = 0.3


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    is_provider = pl.col("directory_kind") == PROVIDER
    return [
        *county_kinds("area_code"),
        *date_kinds("valid_from"),
        required_kind("directory_id"),
        required_kind("entry_code"),
        required_kind("revised_on"),
        Kind("directory_id_pattern", ("directory_id_pattern",), each_text("directory_id", lambda text: text[:-1]), ANY),
        code_kind("directory_kind", "09"),
        Kind("revised_bad_date", ("revised_on_type",), put(revised_on="2025-02-30"), ANY),
        Kind("occupation_pattern", ("occupation_code_pattern",), put(occupation_code="6-18-1"), ~is_provider),
        Kind("project_without_occupation", ("occupation_required",), put(occupation_code=""), ~is_provider),
        Kind("provider_without_code", ("provider_required",), put(provider_uscc=""), is_provider),
        Kind("ends_before_it_begins", ("dates_in_order",), put(valid_until="2015-01-01"), ANY),
        *missing_word_kinds("provider_uscc"),
        Kind("uscc_check", ("uscc_check_digit",), each_text("provider_uscc", flip_last), filled("provider_uscc")),
        Kind("exact_duplicate", (), put(), ANY, 1, "", "exact"),
        Kind("conflicting_duplicate", ("key_unique",), put(revised_on="2026-01-05"), ANY, 1, "", "conflict"),
    ]


def _issues(scene: Scene, kind: str, codes: list[str]) -> pl.DataFrame:
    """One directory of each area and year: `directory_id`, `issued`, `expires`, `revised` (missing where it is not)."""
    rng = scene.stream(NAME, 1, int(kind))
    listed = range(FIRST_YEAR, scene.horizon.year + 1)
    year = np.repeat(np.array(listed), len(codes))
    issued = np.concatenate([days(rng, f"{one}-01-05", f"{one}-06-20", len(codes)) for one in listed])
    revised = issued + rng.integers(60, 260, len(year))
    frame = pl.DataFrame(
        {
            "area_code": np.tile(np.array(codes), len(listed)),
            "directory_kind": kind,
            "issued": issued,
            "expires": issued + rng.integers(330, 420, len(year)),
            "revised": revised,
            "is_revised": rng.random(len(year)) < SHARE_REVISED,
            "year": year,
        }
    )
    return frame.select(
        "area_code",
        "directory_kind",
        "issued",
        "expires",
        directory_id=pl.format("ML{}{}{}", "directory_kind", "area_code", "year"),
        revised=pl.when(pl.col("is_revised") & (pl.col("revised") < pl.col("expires"))).then("revised"),
    )


def entries(scene: Scene) -> pl.DataFrame:
    """All entries that ever were valid, typed: `valid_from` and `valid_until` are their first and last day.

    What a revision adds is valid from its day; `revised_on` is the day on which the list was issued or revised so.
    """
    seed = scene.parameters.seed
    rng = scene.stream(NAME, 2)
    codes = directory_areas()
    counties = areas.counties()
    is_district = (counties["division_type"] == "district").to_numpy()
    on_city = is_district & (rng.random(len(counties)) < SHARE_DISTRICTS_ON_CITY)
    own = [code for number, code in enumerate(codes) if number >= len(counties) or not on_city[number]]
    needs = _issues(scene, NEEDS, own).join(projects(seed), on="area_code", maintain_order="left")
    needs = needs.with_columns(entry_code="project_code", provider_uscc=pl.lit(""))
    offers = _issues(scene, PROVIDER, own).join(providers(seed), on="area_code", maintain_order="left")
    offers = offers.with_columns(
        entry_code=pl.format("JG{}{}", "area_code", pl.col("number").cast(pl.String).str.zfill(3)),
        occupation_code=pl.lit(""),
    )
    cities = codes[len(counties) :]
    wanted = pl.DataFrame(
        {
            "area_code": np.repeat(np.array([areas.PROVINCE, *cities]), len(OCCUPATIONS)),
            "number": np.tile(np.arange(1, len(OCCUPATIONS) + 1), len(cities) + 1),
            "occupation_code": np.tile(OCCUPATIONS, len(cities) + 1),
        }
    )
    short = _issues(scene, SHORTAGE, [areas.PROVINCE, *cities]).join(wanted, on="area_code", maintain_order="left")
    short = short.with_columns(
        entry_code=pl.format("GZ{}", pl.col("number").cast(pl.String).str.zfill(3)), provider_uscc=pl.lit("")
    )
    columns = (
        "directory_id", "directory_kind", "area_code", "entry_code", "occupation_code", "provider_uscc", "issued",
        "expires", "revised",
    )  # fmt: skip
    every = pl.concat([frame.select(columns) for frame in (needs, offers, short)])
    of_province = pl.col("area_code") == areas.PROVINCE
    share = (
        pl.when(pl.col("directory_kind") != SHORTAGE)
        .then(SHARE_LISTED)
        .when(of_province)
        .then(LISTED_BY_PROVINCE / len(OCCUPATIONS))
        .otherwise(LISTED_BY_CITY / len(OCCUPATIONS))
    )
    is_listed = pl.Series(rng.random(len(every))) < share
    is_added = pl.Series(rng.random(len(every)) < SHARE_ADDED) & pl.col("revised").is_not_null()
    first = pl.when(is_added).then("revised").otherwise("issued")
    return (
        every.with_columns(
            valid_from=first,
            valid_until="expires",
            revised_on=first,
            second=pl.Series(_seconds(rng, len(every))),
            key=pl.concat_str("directory_id", "entry_code", separator="|"),
        )
        .filter(is_listed)
        .filter(pl.col("valid_from") <= scene.horizon)
    )


def _seconds(rng: np.random.Generator, number: int) -> NDArray[np.int64]:
    return rng.integers(9 * 3600, 17 * 3600, number)


def rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Entries as the department writes them."""
    entered = pl.col("valid_from").cast(pl.Datetime("us")) + pl.duration(seconds="second")
    return frame.with_columns(_entered=entered).select(
        "directory_id",
        "directory_kind",
        "area_code",
        "entry_code",
        "occupation_code",
        "provider_uscc",
        valid_from=day("valid_from"),
        valid_until=day("valid_until"),
        revised_on=day("revised_on"),
        _key="key",
        _from=moment("_entered"),
        _until=pl.lit(""),
    )


def make(scene: Scene) -> Iterator[Versions]:
    """Every entry since the day from which it is valid."""
    every = entries(scene)
    spoilt = spoil(rows(every), kinds(), scene.parameters.dirt, scene.stream(NAME))
    scene.accepted[NAME] = not_refused(every, spoilt, "key")
    yield Versions(spoilt)


FEED = Feed(
    NAME,
    DataSet(
        name="hrss.training_directories",
        fields=FIELDS,
        order=("directoryId", "entryCode"),
        paging=Cursor("CURSOR", "PAGENUM", "nextCursor", largest=2_000),
        page_interface="getlist",
        records="list",
    ),
    make,
)
