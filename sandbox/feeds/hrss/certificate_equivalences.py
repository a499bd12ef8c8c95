"""hrss/certificate_equivalences (行业证书与技能等级证书比照目录): the province's full list, through the HTTP gateway.

Entries come into force in batches; some end, and a few of these are followed by one of another occupation.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from sandbox.calendar import FIRST_MONTH
from sandbox.dirt.kinds import (
    ANY,
    Kind,
    date_kinds,
    each_text,
    filled,
    missing_word_kinds,
    put,
    required_kind,
)
from sandbox.dirt.spoil import CLEAN, not_refused, spoil
from sandbox.feeds.model import DataSet, Feed, Scene, Versions
from sandbox.feeds.paging import PageAndSize
from sandbox.feeds.texts import day
from sandbox.population.codes import NOT_A_DATE, OCCUPATIONS

NAME = "hrss/certificate_equivalences"
FIELDS = {
    "entry_id": "entryId", "industry_certificate": "industryCertificate", "occupation_code": "occupationCode",
    "valid_from": "validFrom", "valid_to": "validTo",
}  # fmt: skip
ENTRIES = 260
BATCHES = np.array(
    ["2022-11-01", "2023-09-01", "2024-06-01", "2025-04-01", "2025-12-01", "2026-08-01"], "datetime64[D]"
)
SHARE_ENDED = 0.15
TRADES = (
    "电梯",
    "焊接",
    "制冷",
    "网络安全",
    "养老护理",
    "茶艺",
    "无人机驾驶",
    "数控",
    "电商直播",
    "叉车",
    "起重",
    "消防",
)


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    return [
        *date_kinds("valid_from"),
        required_kind("entry_id"),
        required_kind("industry_certificate"),
        required_kind("occupation_code"),
        Kind("id_pattern", ("entry_id_pattern",), each_text("entry_id", lambda text: text[:-1]), ANY),
        Kind("occupation_pattern", ("occupation_code_pattern",), put(occupation_code="6-18-1"), ANY),
        Kind("ends_before_start", ("dates_in_order",), put(valid_to="2020-02-01"), filled("valid_to"), 2),
        Kind("end_bad_date", ("valid_to_type",), put(valid_to="2025-06-31"), filled("valid_to")),
        *missing_word_kinds("valid_to"),
        Kind("exact_duplicate", (), put(), ANY, 1, "", "exact"),
        Kind("conflicting_duplicate", ("key_unique",), put(industry_certificate="另一证书"), ANY, 1, "", "conflict"),
    ]


def entries(scene: Scene) -> pl.DataFrame:
    """All entries, typed; those whose day has not come are not yet in the directory."""
    rng = scene.stream(NAME, 1)
    began = np.sort(rng.choice(BATCHES, ENTRIES))
    ended = np.where(rng.random(ENTRIES) < SHARE_ENDED, began + rng.integers(200, 900, ENTRIES), NOT_A_DATE)
    serial = np.arange(1, ENTRIES + 1)
    trade = rng.choice(np.array(TRADES), ENTRIES)
    return pl.DataFrame(
        {
            "serial": serial,
            "industry_certificate": [f"{name}行业合成证书{number}" for name, number in zip(trade, serial, strict=True)],
            "occupation_code": rng.choice(OCCUPATIONS, ENTRIES),
            "valid_from": began,
            "valid_to": np.where(ended <= np.datetime64(scene.horizon), ended, NOT_A_DATE),
        }
    )


def rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Entries in their last state, as the department writes them."""
    return frame.select(
        entry_id=pl.format("BZ{}", pl.col("serial").cast(pl.String).str.zfill(6)),
        industry_certificate="industry_certificate",
        occupation_code="occupation_code",
        valid_from=day("valid_from"),
        valid_to=day("valid_to"),
        _serial="serial",
    )


def make(scene: Scene) -> Iterator[Versions]:
    """The last state of each entry and, for those that ended, the one before."""
    typed = entries(scene)
    text = rows(typed)
    current = text.with_columns(
        _key="entry_id",
        _from=pl.format("{} 00:00:00", pl.when(pl.col("valid_to") == "").then("valid_from").otherwise("valid_to")),
        _until=pl.lit(""),
    )
    ended = pl.col("valid_to") != ""
    in_force = current.filter(ended).with_columns(
        valid_to=pl.lit(""), _from=pl.format("{} 00:00:00", "valid_from"), _until="_from", **CLEAN
    )
    # What was in force before may only become wrong where it ended before the window: nobody here saw it in force.
    once = ~ended | (pl.col("_from") < f"{FIRST_MONTH}")
    spoilt = spoil(current, kinds(), scene.parameters.dirt, scene.stream(NAME), once)
    scene.accepted[NAME] = not_refused(typed, spoilt, "serial")
    yield Versions(pl.concat([spoilt, in_force]))


FEED = Feed(
    NAME,
    DataSet(
        name="hrss.certificate_equivalences",
        fields=FIELDS,
        order=("entryId",),
        paging=PageAndSize("PAGE", "PAGENUM", largest=500),
        page_interface="getlist",
        records="list",
    ),
    make,
)
