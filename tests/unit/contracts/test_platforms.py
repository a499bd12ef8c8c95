"""The platforms that the plan names are sources by name, in the contracts and wherever feeds are shown."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from threegaps.contracts.loader import load_contracts
from threegaps.contracts.options.platforms import SourcePlatform
from threegaps.contracts.platforms import PLATFORMS
from threegaps.generate.marts import read_seed
from threegaps.settings import Settings

ROOT = Settings.load().root
NAMED = {"浙派工匠一体化系统", "浙江人力资源大市场", "重点群体就业帮扶", "职业能力一体化"}


def test_each_platform_of_the_plan_is_the_source_of_a_feed() -> None:
    contracts = load_contracts(ROOT / "expectations")
    sources = {one.feed: one.source_platform for one in contracts if one.source_platform}
    assert {platform.name_zh for platform in PLATFORMS.values()} == NAMED
    assert {source.platform.name_zh for source in sources.values()} == NAMED
    seed = {row["feed"]: row["platform_zh"] for row in read_seed(ROOT, "seed_feed") if row["platform_zh"]}
    assert seed == {feed: source.platform.name_zh for feed, source in sources.items()}


def test_the_four_links_in_one_come_from_the_four_platforms() -> None:
    feeds = {row["feed"] for row in read_seed(ROOT, "seed_indicator_feed") if row["indicator_code"] == "M01-4"}
    of_feed = {row["feed"]: row["platform_zh"] for row in read_seed(ROOT, "seed_feed")}
    assert {of_feed[feed] for feed in feeds} == NAMED


def test_a_platform_that_the_plan_does_not_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValidationError, match="did you mean human_resources_market"):
        SourcePlatform(name="human_resource_market", basis_zh="岗位需求在该平台发布")
