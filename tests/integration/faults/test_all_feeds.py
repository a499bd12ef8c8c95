"""All feeds from their real servers into the warehouse, refused as the truth says, and again without doing anything."""

from __future__ import annotations

from collections import Counter

import polars as pl
import psycopg
import pytest

from tests.integration.faults.conftest import Departments
from threegaps import feed_run
from threegaps.calendar import Delivery
from threegaps.contracts.loader import load_contract, load_contracts
from threegaps.settings import Settings

pytestmark = pytest.mark.integration

FEEDS = {
    "hrss/training_enrollments": "2026-06-30",
    "hrss/employment_registrations": "2026-06-30",
    "hrss/certificates": "2026-06-30",
    "hrss/wage_records": "2023-03",
    "hrss/skill_enterprises": "2024Q2",
    "statistics/resident_income": "2020Q4",
    "hrss/training_sites": "2026-06",
    "sectors/training_enrollments": "2024-03",
    "finance/training_subsidies": "2026-06",
    "organisation/prosperity_workshops": "2024Q2",
    "agriculture/places": "2024",
    "hrss/apprenticeships": "2026-06",
    "hrss/title_awards": "2026-06",
    "hrss/certificate_equivalences": "2026-06",
    "hrss/dual_certificates": "2026-06",
    "hrss/assessment_bodies": "2026-06",
    "hrss/technician_schools": "2025-2026-1",
    "hrss/technician_school_projects": "2025-2026-1",
    "hrss/technician_school_programmes": "2025-2026-1",
    "hrss/employment_services": "2026-06-30",
    "hrss/training_directories": "2026Q2",
    "education/vocational_programmes": "2023-2024-1",
    "education/rural_teaching": "2023-2024-1",
    "hrss/job_vacancies": "2026-06-30",
    "industry/affected_enterprises": "2024Q2",
    "industry/colleges": "2026Q2",
    "industry/enterprises": "2026Q2",
    "union/collective_agreements": "2024Q2",
    "sasac/soe_payroll": "2025",
    "finance_regulator/skill_finance": "2024-03",
    "federations/beautiful_workshops": "2024Q2",
    "statistics/employment_population": "2025",
    "hrss/competition_entrants": "2025",
    "hrss/competition_results": "2025",
    "hrss/competitions": "2025",
    "hrss/demand_forecasts": "2024Q2",
    "hrss/guide_channels": "2024Q2",
    "hrss/incentive_plans": "2025",
    "hrss/leading_talent": "2025",
    "hrss/overseas_programmes": "2025",
    "hrss/skill_chains": "2024Q2",
    "hrss/skill_ecosystem_members": "2024Q2",
    "hrss/skill_ecosystems": "2024Q2",
    "hrss/skill_funds": "2024Q2",
    "hrss/skill_villages": "2024Q2",
    "hrss/special_ability_items": "2024Q2",
}
BATCHES = {
    "hrss/wage_records": 3,
    "hrss/skill_enterprises": 2,
    "statistics/resident_income": 8,
    "sectors/training_enrollments": 3,
    "organisation/prosperity_workshops": 2,
    "industry/affected_enterprises": 2,
    "union/collective_agreements": 2,
    "sasac/soe_payroll": 2,
    "finance_regulator/skill_finance": 3,
    "federations/beautiful_workshops": 2,
    "hrss/competition_entrants": 2,
    "hrss/competition_results": 2,
    "hrss/competitions": 2,
    "hrss/demand_forecasts": 2,
    "hrss/guide_channels": 2,
    "hrss/incentive_plans": 2,
    "hrss/leading_talent": 2,
    "hrss/overseas_programmes": 2,
    "hrss/skill_chains": 2,
    "hrss/skill_ecosystem_members": 2,
    "hrss/skill_ecosystems": 2,
    "hrss/skill_funds": 2,
    "hrss/skill_villages": 2,
    "hrss/special_ability_items": 2,
}


def test_no_feed_is_left_out() -> None:
    assert {contract.feed for contract in load_contracts(Settings.load().contracts_folder)} == FEEDS.keys()


@pytest.mark.parametrize("feed", FEEDS)
def test_a_feed_catches_up_and_a_second_run_is_a_no_op(feed: str, reading: Departments, warehouse: str) -> None:
    landed = feed_run.land(feed, FEEDS[feed])
    assert landed
    loaded = feed_run.load(feed, FEEDS[feed])
    assert len(loaded) == BATCHES.get(feed, 1)
    with psycopg.connect(warehouse) as connection:
        rows = connection.execute(
            "select received, accepted, refused, duplicates, is_complete from ops.batch where status = 'loaded'"
        ).fetchall()
        table = feed.replace("/", "_")
        stored = connection.execute(f"select count(*) from raw.{table}").fetchone()
        reasons = connection.execute(
            "select array(select r ->> 'rule' from jsonb_array_elements(reasons) as r) from quarantine.refused_row"
        ).fetchall()
        deliveries = connection.execute("select distinct delivery from ops.batch").fetchall()
        since = connection.execute("select min(covered_from) from ops.feed_coverage").fetchone()
    assert since is not None
    contract = load_contract(Settings.load().contracts_folder / f"{feed}.odcs.yaml")
    first = Delivery.parse(contract.cadence, contract.first_delivery).start
    assert since[0] == (contract.covers_from or first)
    assert stored is not None
    assert stored[0] > 0
    for received, accepted, refused, duplicates, is_complete in rows:
        assert received == accepted + refused + duplicates
        assert is_complete
    # Feeds of changes have one catch-up, whose wrong rows are of no delivery.
    truth = pl.read_parquet(reading.home / "truth" / "bad_rows.parquet").filter(
        (pl.col("feed") == feed) & pl.col("delivery").is_in(["", *(key for (key,) in deliveries)])
    )
    assert Counter(frozenset(rules) for (rules,) in reasons) == Counter(frozenset(rules) for rules in truth["rules"])
    assert feed_run.land(feed, FEEDS[feed]) == []
    assert feed_run.load(feed, FEEDS[feed]) == []
