"""hrss/employment_registrations (就业登记, dy13): changes by update time, in the departmental database."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from sandbox.dirt.kinds import (
    ANY,
    Kind,
    code_kind,
    county_kinds,
    date_kinds,
    each_text,
    filled,
    flip_last,
    identity_kinds,
    missing_word_kinds,
    outside_kinds,
    put,
    required_kind,
)
from sandbox.dirt.spoil import CLEAN, not_refused, spoil
from sandbox.feeds.model import Feed, Scene, Table, Versions
from sandbox.feeds.texts import county_code, day, flag, industry_code, moment
from sandbox.population import Population

NAME = "hrss/employment_registrations"
FIELDS = {
    "id_type": "aac058", "resident_id": "aac147", "residence_county_code": "aac301", "urban_rural_code": "bac304",
    "registration_county_code": "bac301", "registration_kind": "bac302", "employer_code": "aab001", "uscc": "aab998",
    "employer_type": "aab019", "work_county_code": "aab301", "industry_code": "bab022", "employment_form": "bcc001",
    "is_insured": "aac031", "start_date": "aae030", "end_date": "aae031", "updated_at": "aae036", "is_valid": "aae100",
}  # fmt: skip


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    ended = filled("end_date")
    return [
        *identity_kinds(),
        *county_kinds("work_county_code"),
        *county_kinds("residence_county_code"),
        *outside_kinds("residence_county_code"),
        *outside_kinds("registration_county_code"),
        *date_kinds("start_date"),
        required_kind("employer_code"),
        required_kind("start_date"),
        code_kind("industry_code", "Z"),
        code_kind("registration_kind", "3"),
        code_kind("urban_rural_code", "300"),
        code_kind("employment_form", "9"),
        code_kind("employer_type", "06"),
        Kind("ends_before_start", ("dates_in_order",), put(end_date="20180101"), ANY),
        Kind("end_bad_date", ("end_date_type",), put(end_date="20251301"), ended),
        Kind("uscc_check", ("uscc_check_digit",), each_text("uscc", flip_last), ANY),
        *missing_word_kinds("end_date"),
        Kind(
            "two_faults", ("industry_code_code", "work_county_code_valid"),
            put(industry_code="Z", work_county_code="330104"), ANY, 2,
        ),
        Kind("exact_duplicate", (), put(), ANY, 2, "", "exact"),
        Kind("older_double", (), put(updated_at="2018-12-31 08:00:00", industry_code="Q"), ANY, 2, "", "exact"),
    ]  # fmt: skip


def rows(people: Population) -> pl.DataFrame:
    """Registered spells in their current state; `_opened_at` says since when the open version was there."""
    return people.spells.filter("is_registered").select(
        "id_type",
        "resident_id",
        residence_county_code="lives_in",
        urban_rural_code="urban_rural_code",
        registration_county_code="registration",
        registration_kind="registration_kind",
        employer_code="employer_code",
        uscc="uscc",
        employer_type="employer_type",
        work_county_code=county_code("work"),
        industry_code=industry_code("industry"),
        employment_form="employment_form",
        is_insured=flag("is_insured"),
        start_date=day("start_date", "%Y%m%d"),
        end_date=day("end_date", "%Y%m%d"),
        updated_at=moment("updated_at"),
        is_valid=pl.lit("1"),
        _person="person",
        _opened_at=moment("opened_at"),
    )


def make(scene: Scene) -> Iterator[Versions]:
    """The last state of each spell and, for closed ones, the open version before it."""
    spells = scene.people.spells.filter("is_registered").with_row_index("spell")
    current = rows(scene.people).with_row_index("_spell")
    closed = pl.col("end_date") != ""
    was_open = closed & (pl.col("_opened_at") < pl.col("updated_at"))
    current = current.with_columns(
        _key=pl.col("_spell").cast(pl.String),
        _from="updated_at",
        _until=pl.lit(""),
    )
    opened = current.filter(was_open).with_columns(
        end_date=pl.lit(""), _from="_opened_at", _until="updated_at", updated_at="_opened_at",
        **CLEAN,
    )  # fmt: skip
    # A wrong row must have no other effect: only spells that were never open before may be wrong.
    spoilt = spoil(current, kinds(), scene.parameters.dirt, scene.stream(NAME), ~closed)
    scene.accepted[NAME] = not_refused(spells, spoilt, "spell")
    yield Versions(pl.concat([spoilt, opened]))


FEED = Feed(NAME, Table("dy13", "就业登记（合成数据）", FIELDS, moment="aae036"), make)
