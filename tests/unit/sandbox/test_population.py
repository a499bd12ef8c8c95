"""The population is one: deterministic, linked, and near the published figures."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from sandbox import areas
from sandbox import population as module
from sandbox.calendar import add_months
from sandbox.feeds.hrss import employment_registrations
from sandbox.population import Population, wages
from threegaps.settings import Settings

TABLES = ("persons", "employers", "spells", "certificates", "trainings")


def employed(population: Population, day: date) -> pl.Series:
    spells = population.spells.filter(
        (pl.col("start_date") <= day) & (pl.col("end_date").is_null() | (pl.col("end_date") >= day))
    )
    return spells["person"].unique()


def test_the_same_seed_gives_the_same_province_and_another_does_not() -> None:
    one, same, other = (module.generate(0.0001, seed) for seed in (7, 7, 8))
    for table in TABLES:
        assert getattr(one, table).equals(getattr(same, table)), table
        assert not getattr(one, table).equals(getattr(other, table)), table


def test_a_month_of_wages_is_the_same_whenever_it_is_made(population: Population) -> None:
    first = wages.month(population, date(2025, 6, 1), 1)
    wages.month(population, date(2025, 7, 1), 1)
    assert first.equals(wages.month(population, date(2025, 6, 1), 1))


def test_stock_and_shares_are_near_the_published_ones(population: Population) -> None:
    day = date(2025, 8, 31)
    working = employed(population, day)
    assert len(working) == pytest.approx(39_000_000 * 0.0005, rel=0.02)
    valid = population.certificates.filter(
        (pl.col("issued_on") <= day) & ~pl.col("is_revoked") & pl.col("person").is_in(working.implode())
    )
    share = valid["person"].n_unique() / len(working) * 100
    high = valid.filter(pl.col("level_code").is_in(["3", "2", "1", "T", "S"]))["person"].n_unique()
    # another measure than the published 34.6 %, and not to be taken for it
    assert share == pytest.approx(27.0, abs=1.5)
    assert high / valid["person"].n_unique() * 100 == pytest.approx(35.2, abs=1.5)


def test_every_county_has_people_at_work(population: Population) -> None:
    assert population.spells["work"].n_unique() == len(areas.load().codes) == 90


def test_wages_follow_the_spells(population: Population) -> None:
    first = date(2025, 6, 1)
    rows = wages.month(population, first, 1)
    key = ["person", "employer", "scheme", "payment_type"]
    assert not rows.select(key).is_duplicated().any()
    spells = population.spells.filter(
        (pl.col("start_date") <= date(2025, 6, 30)) & (pl.col("end_date").is_null() | (pl.col("end_date") >= first))
    )
    assert rows.join(spells, on=["person", "employer"], how="anti").is_empty()
    assert len(rows) == pytest.approx(30_000_000 * 0.0005, rel=0.05)
    assert rows["cents"].min() >= wages.FLOOR_CNY * 100 - 10_000


def test_a_person_has_one_identity_in_every_feed(population: Population) -> None:
    known = population.persons.select("person", "resident_id")
    for table in ("spells", "certificates", "trainings"):
        frame = getattr(population, table).select("person", other="resident_id").unique()
        assert (frame.join(known, on="person", how="left")["resident_id"] == frame["other"]).all(), table


def test_certificates_follow_trainings(population: Population) -> None:
    finished = population.trainings.filter((pl.col("status") == "02") & pl.col("ends_in_assessment"))
    joined = finished.join(population.certificates, on="person").filter(
        pl.col("issued_on").is_between(pl.col("completion_date"), pl.col("completion_date").dt.offset_by("6mo"))
    )
    share = joined["enrollment_id"].n_unique() / finished["enrollment_id"].n_unique()
    assert 0.4 < share < 0.95


def test_certificate_numbers_agree_with_their_fields(population: Population) -> None:
    table = population.certificates
    assert not table.select("certificate_type", "certificate_number").is_duplicated().any()
    one = table.filter(pl.col("certificate_type") == "01")
    number = one["certificate_number"]
    assert number.str.contains(r"^[YS]\d{4}33\d{6}\d{2}[1-5TS]\d{6}$").all()
    assert (number.str.slice(13, 2) == one["issued_on"].dt.strftime("%y")).all()
    assert (number.str.slice(15, 1) == one["level_code"]).all()
    assert table.filter(pl.col("certificate_type") == "02")["certificate_number"].str.contains(r"^\d{16}$").all()
    special = table.filter(pl.col("certificate_type") == "03")
    assert special["level_code"].null_count() == len(special)


def test_the_last_version_of_a_training_is_the_latest(population: Population) -> None:
    ordered = population.trainings.sort("enrollment_id", "version")
    earlier = ordered.with_columns(before=pl.col("updated_at").shift().over("enrollment_id"))
    assert earlier.filter(pl.col("before") >= pl.col("updated_at")).is_empty()


def test_whoever_left_early_left_on_a_day_of_the_course(population: Population) -> None:
    last = population.trainings.filter(pl.col("version") == 2)
    left = last.filter(pl.col("status") == "03")
    assert len(left) / len(last) == pytest.approx(0.1, abs=0.03)
    assert left["left_on"].null_count() == 0
    assert left["completion_date"].null_count() == len(left)
    assert left.filter(pl.col("left_on") < pl.col("start_date")).is_empty()
    assert last.filter(pl.col("status") == "02")["left_on"].null_count() == (last["status"] == "02").sum()


def test_some_trainings_follow_another_one_within_ninety_days(population: Population) -> None:
    ended = population.trainings.filter((pl.col("version") == 2) & (pl.col("status") == "02"))
    pairs = ended.join(ended, on="person", suffix="_next").filter(
        (pl.col("start_date_next") > pl.col("completion_date"))
        & (pl.col("start_date_next") < pl.col("completion_date").dt.offset_by("90d"))
    )
    assert pairs["enrollment_id"].n_unique() / len(ended) > 0.04


def test_some_are_trained_who_have_been_with_their_employer_for_half_a_year(population: Population) -> None:
    begun = population.trainings.filter(pl.col("version") == 1).select("enrollment_id", "person", first="start_date")
    incumbent = begun.join(population.spells, on="person").filter(
        (pl.col("start_date") <= pl.col("first").dt.offset_by("-6mo"))
        & (pl.col("end_date").is_null() | (pl.col("end_date") >= pl.col("first")))
    )
    assert 0.2 < incumbent["enrollment_id"].n_unique() / len(begun) < 0.8


def test_some_work_has_wages_and_no_registration_and_some_the_reverse(population: Population) -> None:
    spells = population.spells
    assert (spells["is_insured"] & ~spells["is_registered"]).mean() == pytest.approx(0.022, abs=0.01)
    assert (~spells["is_insured"] & spells["is_registered"]).mean() > 0.2
    assert employment_registrations.rows(population)["employer_code"].len() == spells["is_registered"].sum()


def test_some_hold_nothing_but_a_special_ability(population: Population) -> None:
    kinds = population.certificates.group_by("person").agg(pl.col("certificate_type").unique())
    special_only = kinds.filter(pl.col("certificate_type") == ["03"])
    assert 0.02 < len(special_only) / len(kinds) < 0.15


def test_some_certificates_are_revoked_in_a_later_quarter_than_they_were_issued(population: Population) -> None:
    revoked = population.certificates.filter(pl.col("revoked_on").is_not_null())
    assert revoked.filter(pl.col("revoked_on").dt.truncate("1q") > pl.col("issued_on").dt.truncate("1q")).height > 3


def test_bases_step_in_the_month_that_the_seed_says_and_back_payments_follow(population: Population) -> None:
    path = Settings.load().root / "dbt_project" / "seeds" / "seed_contribution_base_step.csv"
    steps = pl.read_csv(path, try_parse_dates=True)
    assert set(steps["step_month"].dt.month()) == {wages.STEP_MONTH}
    step, until = steps["step_month"][0], steps["back_paid_until"][0]

    def share_back_paid(month: date) -> float:
        rows = wages.month(population, month, 1)
        return len(rows.filter(pl.col("payment_type") == "02")) / len(rows)

    after = add_months(step, 1)
    assert after <= until
    assert share_back_paid(after) > 3 * share_back_paid(step)
    assert share_back_paid(after) > 3 * share_back_paid(add_months(until, 1))


def test_some_live_in_another_province_and_of_some_nobody_knows_where(population: Population) -> None:
    persons = population.persons
    outside = persons.filter(~pl.col("lives_in").str.starts_with("33") & (pl.col("lives_in") != ""))
    assert len(outside) / len(persons) == pytest.approx(0.02, abs=0.005)
    unknown = persons.filter(pl.col("lives_in") == "")
    assert len(unknown) / len(persons) == pytest.approx(0.03, abs=0.005)
    # registration never says where somebody lives
    assert (unknown["registration"] != "").all()
    assert (unknown["urban_rural_code"] == "").all()


def test_what_no_county_has_is_of_the_province_and_own_levels_of_their_cities() -> None:
    members = areas.area_member()
    province = members.filter(pl.col("area_code") == areas.PROVINCE)["county_code"]
    assert sorted(province) == sorted(areas.all_codes())
    assert len(province) == 90 + 3 + 11
    of_hangzhou = set(members.filter(pl.col("area_code") == "330100")["county_code"])
    assert "330199" in of_hangzhou
    assert not {"OUT", "UNK", "339900"} & of_hangzhou


def test_certificates_filed_at_the_province_have_agency_0000(population: Population) -> None:
    one = population.certificates.filter(pl.col("certificate_type") == "01")
    at_province = one.filter(pl.col("issue_county_code") == "339900")
    assert 0.01 < len(at_province) / len(one) < 0.06
    assert at_province.equals(one.filter(pl.col("certificate_number").str.slice(1, 4) == "0000"))


def test_groups_change_on_their_dates() -> None:
    table = areas.area_member().filter(pl.col("area_code") == "G-MI")

    def size(day: date) -> int:
        return len(table.filter((pl.col("valid_from") <= day) & (day < pl.col("valid_to"))))

    assert [size(day) for day in (date(2024, 7, 31), date(2024, 8, 1), date(2025, 5, 27), date(2025, 5, 28))] == [
        26,
        25,
        25,
        22,
    ]
