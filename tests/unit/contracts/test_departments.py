"""The connections of the departments, out of the contracts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from threegaps.contracts.departments import DepartmentConnection, department_connections
from threegaps.contracts.loader import load_contracts
from threegaps.errors import ContractError
from threegaps.settings import Settings

CONTRACTS = load_contracts(Settings.load().contracts_folder)


def test_each_connection_stands_once_in_order() -> None:
    found = department_connections(CONTRACTS)
    assert [one.connection_id for one in found] == sorted({contract.connection_id for contract in CONTRACTS})
    assert DepartmentConnection("hrss_sftp", "hrss", "sftp", "department_hrss") in found
    assert DepartmentConnection("statistics_file_drop", "statistics", "file_drop", "department_statistics") in found
    assert department_connections([]) == ()


@pytest.mark.parametrize("otherwise", [{"department": "finance"}, {"pool": "department_hrs"}])
def test_a_connection_stands_for_one_system_in_one_pool(otherwise: dict[str, str]) -> None:
    wages, *_ = (contract for contract in CONTRACTS if contract.connection_id == "hrss_sftp")
    other = replace(wages, feed="finance/other", **otherwise)
    with pytest.raises(
        ContractError, match=r"hrss_sftp is .* here, and hrss's by sftp in pool department_hrss"
    ) as said:
        department_connections([wages, other])
    assert said.value.feed == "finance/other"
