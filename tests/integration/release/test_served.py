"""Served tables are what the manifest says: columns, comments, keys."""

from __future__ import annotations

import re

import psycopg
import pytest

from tests.integration.release.served_otherwise import differences
from tests.integration.release.small_marts import A, release, rows, small_manifest
from threegaps.errors import BuildError, ReleaseError
from threegaps.marts.manifest import Manifest
from threegaps.release.served import apply_served

pytestmark = pytest.mark.integration


def test_the_list_of_releases_says_what_it_is_in_chinese(marts: str) -> None:
    release(marts, {A: 20})
    described = rows(
        marts,
        "select attname, col_description(attrelid, attnum) from pg_attribute"
        " where attrelid = 'marts.dim_release'::regclass and attnum > 0",
    )
    assert [name for name, comment in described if not re.search("[\u4e00-\u9fff]", comment or "")] == []


def test_served_tables_are_what_the_manifest_says_and_only_grow(marts: str) -> None:
    release(marts, {A: 20})
    with psycopg.connect(marts) as connection:
        assert differences(connection, small_manifest()) == []
        grown = small_manifest(m01_5="numeric(20,4)")
        assert differences(connection, grown) == ["marts.action_1_bright_future.m01_5 is missing"]
    apply_served(marts, grown)
    apply_served(marts, small_manifest())
    with psycopg.connect(marts) as connection:
        assert differences(connection, grown) == []
        comment = connection.execute("select obj_description('marts.indicator_value'::regclass)").fetchone()
        assert comment is not None
        assert "合成数据" in comment[0]
        connection.execute("alter table marts.action_1_bright_future disable row level security")
        connection.execute("revoke select on marts.action_1_bright_future from bi_reader")
        assert differences(connection, small_manifest()) != []
    with pytest.raises(ReleaseError, match="m01_3"):
        apply_served(marts, small_manifest(m01_3="text"))


def test_manifest_refuses_a_served_model_without_a_key() -> None:

    raw = dict(small_manifest().raw)
    node = dict(raw["nodes"]["model.threegaps.indicator_value"]) | {"config": {"meta": {"served": True}}}
    with pytest.raises(BuildError, match="indicator_value"):
        _ = Manifest(raw | {"nodes": {"model.threegaps.indicator_value": node}}).served
