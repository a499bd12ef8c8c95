"""Every wrong row of the sandbox is refused for each of its reasons, and no right row is."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import polars as pl
import pytest

from sandbox import database, feeds
from sandbox.calendar import OPENING_DAY
from sandbox.writers.versions import HELPERS, state
from threegaps.batch.decode import Part
from threegaps.batch.judge import Judgement
from threegaps.batch.pseudonym import PseudonymKey
from threegaps.batch.verdict import Verdict
from threegaps.contracts.loader import load_contract

ROOT = Path(__file__).resolve().parents[3]
KEY = PseudonymKey(version=1, secret=b"only for tests, thirty-two bytes")


def opened(data: bytes) -> Callable[[], BinaryIO]:
    return lambda: io.BytesIO(data)


Refused = list[tuple[int, int, frozenset[str]]]


def judged(feed: str, delivery: str, parts: list[Part]) -> tuple[Verdict, Refused]:
    """The verdict, and the refused rows as (landed object, row number, rules)."""
    contract = load_contract(ROOT / "expectations" / f"{feed}.odcs.yaml")
    judgement = Judgement(contract, parts, batch_id=1, delivery=delivery, key=KEY)
    refused: Refused = []
    for block in judgement.blocks():
        if not block.refused:
            continue
        rows = pl.read_csv(block.refused, has_header=False, infer_schema=False)
        for row in rows.iter_rows():
            reasons = json.loads(row[8])
            refused.append((int(row[4]), int(row[5]), frozenset(reason["rule"] for reason in reasons)))
    return judgement.finish(), refused


def expected(home: Path, feed: str, delivery: str, sources: list[str]) -> Counter[frozenset[str]]:
    bad = pl.read_parquet(home / "truth" / "bad_rows.parquet").filter(
        (pl.col("feed") == feed) & (pl.col("delivery") == delivery) & pl.col("source_name").is_in(sources)
    )
    return Counter(frozenset(rules) for rules in bad["rules"])


def counted(home: Path, feed: str, delivery: str) -> tuple[int, int, int]:
    counts = pl.read_parquet(home / "truth" / "counts.parquet").filter(
        (pl.col("feed") == feed) & (pl.col("delivery") == delivery)
    )
    total = counts.select(pl.col("received", "refused", "duplicates").sum()).row(0)
    return total[0], total[1], total[2]


def compare(home: Path, feed: str, delivery: str, label: str, *batches: list[Part]) -> Refused:
    """Judge the parts, each batch by itself as the pipeline does; reasons and counts must be those of the truth.

    Returns:
        The refused rows of all of them.
    """
    refused: Refused = []
    received = wrong = duplicates = 0
    for parts in batches:
        verdict, rows = judged(feed, delivery or label, parts)
        sources = [part.source_name for part in parts]
        assert Counter(rules for _, _, rules in rows) == expected(home, feed, delivery, sources)
        counts = verdict.counts
        assert counts.received == counts.accepted + counts.refused + counts.duplicates
        received, wrong, duplicates = (
            received + counts.received,
            wrong + counts.refused,
            duplicates + counts.duplicates,
        )
        refused += rows
    assert (received, wrong, duplicates) == counted(home, feed, delivery)
    return refused


def test_wages(dirty_home: Path) -> None:
    """A month in two parts, and a correction file that is a batch of its own: the very rows, and their reasons."""
    folder = dirty_home / "sftp" / "wage_records" / "202410"
    originals, corrections = sorted(folder.glob("*part*.csv.gz")), sorted(folder.glob("*correction*.csv.gz"))
    assert (len(originals), len(corrections)) == (2, 1)
    parts = [
        Part(number, path.name, opened(path.read_bytes()), path in corrections)
        for number, path in enumerate([*originals, *corrections], 1)
    ]
    refused = compare(dirty_home, "hrss/wage_records", "2024-10", "2024-10", parts[:2], parts[2:])
    names = {part.landed_object_id: part.source_name for part in parts}
    bad = pl.read_parquet(dirty_home / "truth" / "bad_rows.parquet").filter(pl.col("delivery") == "2024-10")
    wanted = {
        (row["source_name"], row["row_number"], frozenset(row["rules"]))
        for row in bad.filter(pl.col("feed") == "hrss/wage_records").iter_rows(named=True)
    }
    assert wanted
    assert {(names[part], number, rules) for part, number, rules in refused} == wanted


@pytest.mark.parametrize("quarter", ["2026Q2"])
def test_roster(dirty_home: Path, quarter: str) -> None:
    path = dirty_home / "drop" / "hrss" / f"skill_enterprises_{quarter}.xlsx"
    parts = [Part(1, path.name, opened(path.read_bytes()))]
    compare(dirty_home, "hrss/skill_enterprises", quarter, quarter, parts)


@pytest.mark.parametrize("quarter", ["2024Q3", "2026Q2"])
def test_roster_of_a_sheet_a_county(dirty_home: Path, quarter: str) -> None:
    path = dirty_home / "drop" / "organisation" / f"prosperity_workshops_{quarter}.xlsx"
    parts = [Part(1, path.name, opened(path.read_bytes()))]
    compare(dirty_home, "organisation/prosperity_workshops", quarter, quarter, parts)


@pytest.mark.parametrize(
    ("feed", "delivery", "path"),
    [
        ("agriculture/places", "2024", "places/places_2024.csv"),
        (
            "education/vocational_programmes", "2025-2026-1",
            "vocational_programmes/vocational_programmes_2025-2026-1.csv",
        ),
        ("education/rural_teaching", "2024-2025-2", "rural_teaching/rural_teaching_2024-2025-2.csv"),
        ("finance_regulator/skill_finance", "2026-06", "skill_finance/skill_finance_202606.csv"),
    ],
)  # fmt: skip
def test_file_of_a_delivery(dirty_home: Path, feed: str, delivery: str, path: str) -> None:
    sent = dirty_home / "sftp" / path
    compare(dirty_home, feed, delivery, delivery, [Part(1, sent.name, opened(sent.read_bytes()))])


@pytest.mark.parametrize("feed", [feed.name for together in feeds.senders() if len(together) > 1 for feed in together])
def test_sheets_of_a_shared_workbook(dirty_home: Path, feed: str) -> None:
    """Each feed of it is judged by itself, and reads its own sheets alone."""
    sent = next(one for one in feeds.every() if one.name == feed)
    delivery = sent.dues(OPENING_DAY)[-1].delivery
    path = dirty_home / "drop" / sent.department / f"{sent.workbook}_{delivery}.xlsx"
    compare(dirty_home, feed, delivery, delivery, [Part(1, path.name, opened(path.read_bytes()))])


@pytest.mark.parametrize(
    "feed", ["hrss/skill_villages", "hrss/leading_talent", "hrss/overseas_programmes", "hrss/incentive_plans"]
)
def test_roster_of_one_sheet(dirty_home: Path, feed: str) -> None:
    sent = next(one for one in feeds.every() if one.name == feed)
    delivery = sent.dues(OPENING_DAY)[-1].delivery
    path = dirty_home / "drop" / f"{feed}_{delivery}.xlsx"
    compare(dirty_home, feed, delivery, delivery, [Part(1, path.name, opened(path.read_bytes()))])


@pytest.mark.parametrize(
    ("feed", "delivery"),
    [
        ("industry/affected_enterprises", "2026Q2"),
        ("union/collective_agreements", "2026Q2"),
        ("federations/beautiful_workshops", "2026Q2"),
    ],
)
def test_workbook_of_a_delivery(dirty_home: Path, feed: str, delivery: str) -> None:
    department, name = feed.split("/")
    path = dirty_home / "drop" / department / f"{name}_{delivery}.xlsx"
    compare(dirty_home, feed, delivery, delivery, [Part(1, path.name, opened(path.read_bytes()))])


def test_workbooks_of_three_levels_in_three_layouts(dirty_home: Path) -> None:
    files = sorted((dirty_home / "drop" / "sasac").glob("soe_payroll_2025_*.xlsx"))
    parts = [Part(number, path.name, opened(path.read_bytes())) for number, path in enumerate(files, 1)]
    assert len(parts) == 3
    compare(dirty_home, "sasac/soe_payroll", "2025", "2025", parts)


def test_files_of_seven_departments_in_four_layouts(dirty_home: Path) -> None:
    files = sorted((dirty_home / "sftp" / "sector_training" / "202504").glob("*.csv"))
    assert len(files) == 7
    parts = [Part(number, path.name, opened(path.read_bytes())) for number, path in enumerate(files, 1)]
    compare(dirty_home, "sectors/training_enrollments", "2025-04", "2025-04", parts)


@pytest.mark.parametrize(
    ("feed", "table", "delivery"),
    [
        ("hrss/employment_registrations", "dy13", "2026-06-30"),
        ("hrss/certificates", "zs01", "2026-06-30"),
        ("finance/training_subsidies", "pxbtzj", "2026-06"),
        ("hrss/title_awards", "zc01", "2026-06"),
        ("hrss/technician_schools", "jg01", "2025-2026-1"),
        ("hrss/technician_school_projects", "jg02", "2025-2026-1"),
        ("hrss/technician_school_programmes", "jg03", "2025-2026-1"),
        ("hrss/employment_services", "dy18", "2026-06-30"),
    ],
)
def test_database(dirty_home: Path, feed: str, table: str, delivery: str) -> None:
    rows = database.state(dirty_home, table, feed.split("/")[0])
    compare(dirty_home, feed, "", delivery, [Part(1, table, opened(rows.write_csv().encode("utf-8")))])


@pytest.mark.parametrize(
    ("feed", "records", "delivery"),
    [
        ("hrss/training_enrollments", "rows", "2026-06-30"),
        ("hrss/training_sites", "list", "2026-06"),
        ("hrss/apprenticeships", "rows", "2026-06"),
        ("hrss/certificate_equivalences", "list", "2026-06"),
        ("hrss/dual_certificates", "items", "2026-06"),
        ("hrss/assessment_bodies", "list", "2026-06"),
        ("hrss/training_directories", "list", "2026Q2"),
        ("hrss/job_vacancies", "list", "2026-06-30"),
        ("industry/enterprises", "records", "2026Q2"),
        ("industry/colleges", "items", "2026Q2"),
    ],
)
def test_gateway(dirty_home: Path, feed: str, records: str, delivery: str) -> None:
    served = next(one for one in feeds.every() if one.name == feed)
    rows = state(dirty_home, served, "2026-06-30 23:59:59").drop(HELPERS)
    body = {"status": 1, "data": {records: rows.to_dicts()}}
    part = Part(1, feed.replace("/", "."), opened(json.dumps(body, ensure_ascii=False).encode("utf-8")))
    compare(dirty_home, feed, "", delivery, [part])


@pytest.mark.parametrize("delivery", ["2013Q4", "2020Q3", "2020Q4", "2021Q4"])
def test_published_figures_are_all_accepted(dirty_home: Path, delivery: str) -> None:
    path = dirty_home / "drop" / "statistics" / f"resident_income_{delivery}.csv"
    verdict, refused = judged("statistics/resident_income", delivery, [Part(1, path.name, opened(path.read_bytes()))])
    assert not refused
    assert verdict.counts.accepted == counted(dirty_home, "statistics/resident_income", delivery)[0]


def test_what_is_published_of_employment_is_accepted_and_what_is_not_stays_empty(dirty_home: Path) -> None:
    path = dirty_home / "drop" / "statistics" / "employment_population_2025.csv"
    parts = [Part(1, path.name, opened(path.read_bytes()))]
    assert not compare(dirty_home, "statistics/employment_population", "2025", "2025", parts)
    listed = pl.read_csv(path, infer_schema=False)
    assert listed.filter(pl.col("指标") == "乡村就业人员")["数值"].to_list() == ["—"]
    assert listed.filter(pl.col("时点") == "2025-08-31")["数值"].to_list() == ["1355.1", "34.6", "477.4", "35.2"]
