"""Each way to reach a kind of delivery that a contract may name has its source, and no other is taken for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from threegaps.contracts.loader import find_contract
from threegaps.contracts.options.sources import DatabaseSource
from threegaps.contracts.vocabulary import PROTOCOLS_BY_KIND
from threegaps.errors import ContractError
from threegaps.settings import Settings
from threegaps.sources.opening import FILE_SOURCES, INQUIRY_SOURCES, open_files, open_inquiry

WAGES = find_contract(Settings.load().contracts_folder, "hrss/wage_records")


def test_every_way_has_its_source() -> None:
    assert set(PROTOCOLS_BY_KIND["changes"]) == set(INQUIRY_SOURCES)
    assert set(PROTOCOLS_BY_KIND["full_period"]) == set(FILE_SOURCES)
    assert set(PROTOCOLS_BY_KIND["full_list"]) == set(FILE_SOURCES) | set(INQUIRY_SOURCES)


def test_no_other_source_is_taken_for_one_that_is_not_there() -> None:
    with pytest.raises(ContractError, match="sftp or file_drop"):
        open_files(replace(WAGES, source=DatabaseSource(protocol="database", schema_name="public", table="wages")))
    with pytest.raises(ContractError, match="http or database"):
        open_inquiry(replace(WAGES, delivery_kind="changes"))
