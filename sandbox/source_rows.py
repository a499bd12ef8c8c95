"""Clean rows as a department writes them: text only, canonical column names (the writers rename them)."""

from __future__ import annotations

import polars as pl

from sandbox import areas
from sandbox.population import INDUSTRIES, Population

TRAINING_NAMES = {
    "enrollment_id": "enrollmentId", "id_type": "idType", "resident_id": "idNumber",
    "residence_county_code": "residenceCounty", "residence_kind": "residenceKind", "venue_county_code": "venueCounty",
    "is_online": "isOnline", "priority_groups": "priorityGroups", "focus_sector": "focusSector",
    "occupation_code": "occupationCode", "provider_type": "providerType", "ends_in_assessment": "endsInAssessment",
    "start_date": "startDate", "completion_date": "completionDate", "status": "status",
    "duration_hours": "durationHours", "subsidy_cny": "subsidyAmount", "updated_at": "updatedAt",
}  # fmt: skip
EMPLOYMENT_NAMES = {
    "id_type": "aac058", "resident_id": "aac147", "residence_county_code": "bac301", "residence_kind": "bac302",
    "employer_code": "aab001", "uscc": "aab998", "work_county_code": "aab301", "industry_code": "bab022",
    "is_insured": "aac031", "start_date": "aae030", "end_date": "aae031", "updated_at": "aae036", "is_valid": "aae100",
}  # fmt: skip
CERTIFICATE_NAMES = {
    "id_type": "aac058", "resident_id": "aac147", "certificate_type": "ahc000", "certificate_number": "ahc001",
    "occupation_code": "aca111", "level_code": "aca11a", "issue_county_code": "aab301", "issued_on": "ahc005",
    "valid_until": "ahc006", "is_direct_recognition": "bhc007", "uscc": "aab998", "updated_at": "aae036",
    "is_valid": "aae100", "revoked_on": "bhe031",
}  # fmt: skip
WAGE_NAMES = {
    "id_type": "证件类型", "resident_id": "证件号码", "employer_code": "单位编号", "uscc": "统一社会信用代码",
    "work_county_code": "参保地区划", "industry_code": "行业", "wage_month": "费款所属期", "scheme": "险种",
    "payment_type": "缴费类型", "wage_cny_month": "缴费工资", "unit": "金额单位", "base_limit": "封顶保底",
    "recorded_on": "业务日期", "correction_number": "更正序号", "operation": "操作",
}  # fmt: skip


def county_code(column: str) -> pl.Expr:
    """County index to code; -1 becomes an empty text."""
    mapping = dict(enumerate(areas.load().codes)) | {-1: ""}
    return pl.col(column).replace_strict(mapping, return_dtype=pl.String)


def flag(column: str) -> pl.Expr:
    """Boolean as '1' or '0'."""
    return pl.when(pl.col(column)).then(pl.lit("1")).otherwise(pl.lit("0"))


def day(column: str, style: str = "%Y-%m-%d") -> pl.Expr:
    """A date as text, missing as an empty text."""
    return pl.col(column).dt.strftime(style).fill_null("")


def trainings(population: Population) -> pl.DataFrame:
    """Every version of every training, with the helper columns `_person` and `_version`."""
    return population.trainings.select(
        "enrollment_id",
        "id_type",
        "resident_id",
        residence_county_code=county_code("residence"),
        residence_kind="residence_kind",
        venue_county_code=county_code("venue"),
        is_online=flag("is_online"),
        priority_groups="priority_groups",
        focus_sector="focus_sector",
        occupation_code="occupation_code",
        provider_type="provider_type",
        ends_in_assessment=flag("ends_in_assessment"),
        start_date=day("start_date"),
        completion_date=day("completion_date"),
        status="status",
        duration_hours=pl.col("duration_hours").cast(pl.String),
        subsidy_cny=pl.col("subsidy_cny").cast(pl.String).fill_null(""),
        updated_at=pl.col("updated_at").dt.strftime("%Y-%m-%d %H:%M:%S"),
        _person="person",
        _version="version",
    )


def employment(population: Population) -> pl.DataFrame:
    """Spells in their current state; `_opened_at` says since when the open version was there."""
    industry = dict(enumerate(INDUSTRIES.tolist()))
    return population.spells.select(
        "id_type",
        "resident_id",
        residence_county_code=county_code("residence"),
        residence_kind="residence_kind",
        employer_code="employer_code",
        uscc="uscc",
        work_county_code=county_code("work"),
        industry_code=pl.col("industry").replace_strict(industry, return_dtype=pl.String),
        is_insured=flag("is_insured"),
        start_date=day("start_date", "%Y%m%d"),
        end_date=day("end_date", "%Y%m%d"),
        updated_at=pl.col("updated_at").dt.strftime("%Y-%m-%d %H:%M:%S"),
        is_valid=pl.lit("1"),
        _person="person",
        _opened_at=pl.col("opened_at").dt.strftime("%Y-%m-%d %H:%M:%S"),
    )


def certificates(population: Population) -> pl.DataFrame:
    """Certificates in their current state; `_entered_at` says since when the unrevoked version was there."""
    return population.certificates.select(
        "id_type",
        "resident_id",
        "certificate_type",
        "certificate_number",
        occupation_code=pl.col("occupation_code").fill_null(""),
        level_code=pl.col("level_code").fill_null(""),
        issue_county_code="issue_county_code",
        issued_on=day("issued_on"),
        valid_until=day("valid_until"),
        is_direct_recognition=flag("is_direct_recognition"),
        uscc=pl.col("uscc").fill_null(""),
        updated_at=pl.col("updated_at").dt.strftime("%Y-%m-%d %H:%M:%S"),
        is_valid=pl.when("is_revoked").then(pl.lit("0")).otherwise(pl.lit("1")),
        revoked_on=day("revoked_on"),
        _person="person",
        _entered_at=pl.col("entered_at").dt.strftime("%Y-%m-%d %H:%M:%S"),
    )
