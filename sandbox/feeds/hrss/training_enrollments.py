"""hrss/training_enrollments (补贴性培训学员): changes by update time, through the gateway."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from sandbox.dirt.kinds import (
    ANY,
    RESIDENT,
    Kind,
    both,
    code_kind,
    county_kinds,
    date_kinds,
    each_text,
    filled,
    flip_last,
    full_width,
    identity_kinds,
    missing_word_kinds,
    outside_kinds,
    put,
    required_kind,
    wrong_check,
)
from sandbox.dirt.spoil import CLEAN, refused, spoil, with_sent_codes
from sandbox.feeds.model import DataSet, Feed, Scene, UpdateWindow, Versions
from sandbox.feeds.paging import PageAndSize
from sandbox.feeds.texts import county_code, day, flag, moment
from sandbox.population import Population

NAME = "hrss/training_enrollments"
FIELDS = {
    "enrollment_id": "enrollmentId", "id_type": "idType", "resident_id": "idNumber",
    "residence_county_code": "residenceCounty", "urban_rural_code": "urbanRuralCode",
    "registration_county_code": "registrationCounty", "registration_kind": "registrationKind",
    "handling_county_code": "handlingCounty", "venue_county_code": "venueCounty", "is_online": "isOnline",
    "priority_groups": "priorityGroups", "graduate_status": "graduateStatus", "focus_sector": "focusSector",
    "occupation_code": "occupationCode", "class_code": "classCode", "project_code": "projectCode",
    "is_order_based": "isOrderBased", "provider_type": "providerType", "provider_uscc": "providerUscc",
    "ends_in_assessment": "endsInAssessment", "start_date": "startDate", "planned_end_date": "plannedEndDate",
    "completion_date": "completionDate", "left_on": "leftOn", "assessment_failed_on": "assessmentFailedOn",
    "status": "status", "duration_hours": "durationHours", "subsidy_source": "subsidySource",
    "subsidy_cny": "subsidyAmount", "updated_at": "updatedAt",
}  # fmt: skip


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    completed = (pl.col("status") == "02") & filled("completion_date")
    left = (pl.col("status") == "03") & filled("left_on")
    return [
        *identity_kinds(),
        *county_kinds("residence_county_code"),
        *outside_kinds("residence_county_code"),
        *outside_kinds("registration_county_code"),
        Kind(
            "handled_elsewhere", ("handling_county_code_valid",), put(handling_county_code="341522"),
            filled("handling_county_code"),
        ),
        *date_kinds("start_date"),
        required_kind("registration_county_code"),
        required_kind("planned_end_date"),
        code_kind("subsidy_source", "05"),
        code_kind("urban_rural_code", "300"),
        Kind("class_code_pattern", ("class_code_pattern",), put(class_code="一班"), ANY),
        Kind("planned_before_start", ("planned_dates_in_order",), put(planned_end_date="2023-12-01"), ANY),
        Kind("left_before_start", ("left_dates_in_order",), put(left_on="2023-12-01"), left, 3),
        Kind("left_without_date", ("left_on_required",), put(left_on=""), left, 3),
        code_kind("provider_type", "07"),
        code_kind("focus_sector", "11"),
        Kind("priority_group_unlisted", ("priority_groups_code",), put(priority_groups="02,09"), ANY),
        Kind("ends_before_start", ("dates_in_order",), put(completion_date="2023-12-01"), completed),
        Kind("completed_without_date", ("completion_required",), put(completion_date=""), completed),
        Kind("hours_out_of_range", ("duration_hours_range",), put(duration_hours="5000"), ANY),
        Kind("hours_no_number", ("duration_hours_type",), put(duration_hours="约40"), ANY),
        Kind("hours_full_width", (), full_width("duration_hours"), ANY, 1, "full_width"),
        Kind("occupation_pattern", ("occupation_code_pattern",), put(occupation_code="6-18-1"), ANY),
        *missing_word_kinds("subsidy_cny"),
        code_kind("graduate_status", "04"),
        Kind("project_pattern", ("project_code_pattern",), put(project_code="车工班"), ANY),
        Kind("order_without_project", ("order_based_project_required",), put(is_order_based="1", project_code=""), ANY),
        Kind(
            "provider_pattern", ("provider_uscc_pattern",), each_text("provider_uscc", lambda text: text[:8]),
            filled("provider_uscc"),
        ),
        Kind("uscc_check", ("uscc_check_digit",), each_text("provider_uscc", flip_last), filled("provider_uscc")),
        Kind(
            "failed_before_start", ("failed_dates_in_order",), put(assessment_failed_on="2023-12-01"),
            filled("assessment_failed_on"), 3,
        ),
        Kind(
            "two_faults", ("provider_type_code", "resident_id_check_digit"),
            both(each_text("resident_id", wrong_check), put(provider_type="07")), RESIDENT, 2,
        ),
    ]  # fmt: skip


def rows(people: Population) -> pl.DataFrame:
    """Every version of every training, with the helper columns `_person` and `_version`."""
    return people.trainings.select(
        "enrollment_id",
        "id_type",
        "resident_id",
        residence_county_code="lives_in",
        urban_rural_code="urban_rural_code",
        registration_county_code="registration",
        registration_kind="registration_kind",
        handling_county_code="handling_county_code",
        venue_county_code=county_code("venue"),
        is_online=flag("is_online"),
        priority_groups="priority_groups",
        graduate_status="graduate_status",
        focus_sector="focus_sector",
        occupation_code="occupation_code",
        class_code="class_code",
        project_code="project_code",
        is_order_based=flag("is_order_based"),
        provider_type="provider_type",
        provider_uscc="provider_uscc",
        ends_in_assessment=flag("ends_in_assessment"),
        start_date=day("start_date"),
        planned_end_date=day("planned_end_date"),
        completion_date=day("completion_date"),
        left_on=day("left_on"),
        assessment_failed_on=day("assessment_failed_on"),
        status="status",
        duration_hours=pl.col("duration_hours").cast(pl.String),
        subsidy_source="subsidy_source",
        subsidy_cny=pl.col("subsidy_cny").cast(pl.String).fill_null(""),
        updated_at=moment("updated_at"),
        _person="person",
        _version="version",
    )


def make(scene: Scene) -> Iterator[Versions]:
    """Every version of every training.

    Dirt falls on the last version only, and only where that is the first one that ended the training.
    """
    every = rows(scene.people)
    last = pl.col("_version") == pl.col("_version").max().over("enrollment_id")
    every = every.with_columns(
        _key="enrollment_id",
        _from="updated_at",
        _until=pl.col("updated_at").shift(-1).over("enrollment_id", order_by="_version").fill_null(""),
    )
    current, older = every.filter(last), every.filter(~last)
    spoilt = spoil(current, kinds(), scene.parameters.dirt, scene.stream(NAME), pl.col("_version") <= 2)
    bad = spoilt.filter(refused()).select(enrollment_id="_key", version="_version")
    versioned = pl.concat_str("enrollment_id", "version", separator="|")
    scene.accepted[NAME] = with_sent_codes(
        scene.people.trainings.with_columns(key=versioned),
        spoilt.with_columns(_key=pl.concat_str("_key", "_version", separator="|")),
        "key",
    ).with_columns(is_refused=pl.struct("enrollment_id", "version").is_in(bad.to_struct().implode()))
    yield Versions(pl.concat([spoilt, older.with_columns(**CLEAN)]))


FEED = Feed(
    NAME,
    DataSet(
        name="hrss.training_enrollments",
        fields=FIELDS,
        order=("updatedAt", "enrollmentId"),
        paging=PageAndSize("PAGE", "PAGENUM", largest=5_000),
        page_interface="getdata",
        total_interface="gettotal",
        window=UpdateWindow("updatedFrom", "updatedTo", "updatedAt"),
    ),
    make,
)
