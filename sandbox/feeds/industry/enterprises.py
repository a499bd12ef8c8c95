"""industry/enterprises (链主企业与415X集群企业): the full list as it stands, through the gateway, with a cursor.

Not scaled beyond the default size. Enterprises are employers of the population.
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
    flip_last,
    full_width,
    missing_word_kinds,
    put,
    required_kind,
)
from sandbox.dirt.spoil import not_refused
from sandbox.feeds.dated import dated_versions
from sandbox.feeds.model import DataSet, Feed, Scene, Versions
from sandbox.feeds.paging import Cursor
from sandbox.feeds.texts import county_code, day
from sandbox.population.codes import NOT_A_DATE, days

NAME = "industry/enterprises"
FIELDS = {
    "uscc": "creditCode", "county_code": "countyCode", "cluster": "cluster", "is_chain_leader": "chainLeader",
    "valid_from": "validFrom", "valid_until": "validUntil",
}  # fmt: skip
ON_THE_ROSTER = 1_500
CLUSTERS = np.array(["1", "2", "3", "4", "X"])
SHARE_LEADER, SHARE_LEADER_LATER, SHARE_ENDED, SHARE_OUTSIDE = 0.12, 0.06, 0.05, 0.1


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    return [
        *county_kinds("county_code"),
        *date_kinds("valid_from"),
        required_kind("uscc"),
        required_kind("valid_from"),
        required_kind("county_code"),
        Kind("uscc_pattern", ("uscc_pattern",), each_text("uscc", lambda text: text[:-1]), ANY),
        code_kind("cluster", "5"),
        Kind("leader_in_doubt", ("is_chain_leader_type",), put(is_chain_leader="待定"), ANY),
        Kind("of_no_cluster", ("cluster_given",), put(cluster="", is_chain_leader="否"), ANY, 2),
        Kind("ends_before_it_begins", ("dates_in_order",), put(valid_until="2011-01-01"), ANY),
        Kind("code_full_width", (), full_width("uscc"), ANY, 1, "full_width"),
        *missing_word_kinds("valid_until"),
        Kind("uscc_check", ("uscc_check_digit",), each_text("uscc", flip_last), ANY, 2),
        Kind("exact_duplicate", (), put(), ANY, 1, "", "exact"),
        Kind(
            "conflicting_duplicate", ("key_unique",),
            put(cluster=pl.when(pl.col("cluster") == "1").then(pl.lit("2")).otherwise(pl.lit("1"))), ANY, 2, "",
            "conflict",
        ),
    ]  # fmt: skip


def enterprises(scene: Scene) -> pl.DataFrame:
    """All spells on the roster, typed; `cluster` is empty for leaders of no cluster, `valid_until` the last day."""
    rng = scene.stream(NAME, 1)
    employers = scene.people.employers.select("uscc", "county")
    number = min(scene.parameters.listed(ON_THE_ROSTER), len(employers))
    leads = rng.random(number) < SHARE_LEADER
    begun = days(rng, "2023-01-01", "2026-09-30", number)
    becomes = begun + rng.integers(90, 700, number)
    rises = (rng.random(number) < SHARE_LEADER_LATER) & ~leads & (becomes <= np.datetime64(scene.horizon))
    left = begun + rng.integers(200, 1_200, number)
    ends = (rng.random(number) < SHARE_ENDED) & ~rises & (left <= np.datetime64(scene.horizon))
    first = employers[rng.permutation(len(employers))[:number]].with_columns(
        cluster=pl.Series(np.where(leads & (rng.random(number) < SHARE_OUTSIDE), "", rng.choice(CLUSTERS, number))),
        is_chain_leader=pl.Series(leads),
        valid_from=pl.Series(begun),
        valid_until=pl.Series(np.where(rises, becomes - 1, np.where(ends, left, NOT_A_DATE))),
    )
    risen = first.filter(pl.Series(rises)).with_columns(
        is_chain_leader=pl.lit(True),
        valid_from=pl.col("valid_until").dt.offset_by("1d"),
        valid_until=pl.lit(None, pl.Date),
    )
    return pl.concat([first, risen]).sort("uscc", "valid_from")


def rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Spells in their last state, as the department writes them."""
    return frame.select(
        uscc="uscc",
        county_code=county_code("county"),
        cluster="cluster",
        is_chain_leader=pl.when("is_chain_leader").then(pl.lit("是")).otherwise(pl.lit("否")),
        valid_from=day("valid_from"),
        valid_until=day("valid_until"),
    ).with_columns(_key=pl.concat_str("uscc", "valid_from", separator="|"))


def make(scene: Scene) -> Iterator[Versions]:
    """Every state of every spell."""
    typed = enterprises(scene)
    versions = dated_versions(rows(typed), kinds(), scene, NAME)
    keyed = typed.with_columns(key=pl.concat_str("uscc", "valid_from", separator="|"))
    scene.accepted[NAME] = not_refused(keyed, versions.rows, "key").drop("key")
    yield versions


FEED = Feed(
    NAME,
    DataSet(
        name="industry.enterprises",
        fields=FIELDS,
        order=("creditCode", "validFrom"),
        paging=Cursor("cursor", "limit", "next", largest=500),
        page_interface="getlist",
        records="records",
    ),
    make,
)
