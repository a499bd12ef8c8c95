"""hrss/certificates (职业技能证书, zs01): changes by update time, in the departmental database."""

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
    identity_kinds,
    missing_word_kinds,
    outside_kinds,
    put,
    required_kind,
    wrong_check,
)
from sandbox.dirt.spoil import CLEAN, not_refused, spoil
from sandbox.feeds.hrss.competition_entrants import entrants
from sandbox.feeds.model import Feed, Scene, Table, Versions
from sandbox.feeds.texts import day, flag, moment
from sandbox.population import Population

NAME = "hrss/certificates"
# 取证途径
ASSESSED, RECOGNISED, COMPETED = "01", "02", "03"
FIELDS = {
    "id_type": "aac058", "resident_id": "aac147", "residence_county_code": "aac301", "urban_rural_code": "bac304",
    "certificate_type": "ahc000", "certificate_number": "ahc001", "occupation_code": "aca111", "level_code": "aca11a",
    "issue_county_code": "aab301", "issued_on": "ahc005", "valid_until": "ahc006", "is_direct_recognition": "bhc007",
    "route": "bhc008", "uscc": "aab998", "updated_at": "aae036", "is_valid": "aae100", "revoked_on": "bhe031",
}  # fmt: skip


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    one, two, three = (pl.col("certificate_type") == kind for kind in ("01", "02", "03"))
    number = "certificate_number"
    return [
        *identity_kinds(),
        *county_kinds("issue_county_code"),
        *outside_kinds("residence_county_code"),
        code_kind("urban_rural_code", "300"),
        code_kind("route", "04"),
        *date_kinds("issued_on"),
        required_kind("issued_on"),
        required_kind(number),
        Kind("number_first_letter", (f"{number}_pattern",), each_text(number, lambda t: "K" + t[1:]), one),
        Kind("number_too_short", (f"{number}_pattern",), each_text(number, lambda t: t[:-1]), two),
        Kind("number_other_year", (f"{number}_year",), each_text(number, lambda t: t[:13] + "09" + t[15:]), one),
        Kind(
            "number_other_level", (f"{number}_level",),
            each_text(number, lambda t: t[:15] + ("4" if t[15] != "4" else "5") + t[16:]), one,
        ),
        Kind("number_other_province", (f"{number}_province",), each_text(number, lambda t: t[:5] + "32" + t[7:]), one),
        Kind("level_missing", ("level_code_for_type",), put(level_code=""), two),
        Kind("level_for_special", ("level_code_for_type",), put(level_code="3"), three),
        Kind("valid_before_issue", ("dates_in_order",), put(valid_until="2014-01-01"), ANY),
        Kind("valid_bad_date", ("valid_until_type",), put(valid_until="2030-06-31"), ANY),
        Kind("occupation_pattern", ("occupation_code_pattern",), put(occupation_code="6-18-1"), ANY),
        *missing_word_kinds("valid_until"),
        Kind(
            "two_faults", (f"{number}_pattern", "resident_id_check_digit"),
            both(each_text("resident_id", wrong_check), each_text(number, lambda t: "K" + t[1:])), RESIDENT & one, 2,
        ),
        Kind("exact_duplicate", (), put(), ANY, 2, "", "exact"),
    ]  # fmt: skip


def certificates(people: Population, won: pl.Series | None = None) -> pl.DataFrame:
    """All certificates, typed, with `route`.

    Args:
        won: Numbers of those that were gained by a competition.
    """
    competed = pl.lit(False) if won is None else pl.col("certificate_number").is_in(won.implode())
    return people.certificates.with_columns(
        route=pl.when("is_direct_recognition")
        .then(pl.lit(RECOGNISED))
        .when(competed)
        .then(pl.lit(COMPETED))
        .otherwise(pl.lit(ASSESSED))
    )


def rows(people: Population, won: pl.Series | None = None) -> pl.DataFrame:
    """Certificates in their current state; `_entered_at` says since when the unrevoked version was there."""
    return certificates(people, won).select(
        "id_type",
        "resident_id",
        residence_county_code="lives_in",
        urban_rural_code="urban_rural_code",
        certificate_type="certificate_type",
        certificate_number="certificate_number",
        occupation_code=pl.col("occupation_code").fill_null(""),
        level_code=pl.col("level_code").fill_null(""),
        issue_county_code="issue_county_code",
        issued_on=day("issued_on"),
        valid_until=day("valid_until"),
        is_direct_recognition=flag("is_direct_recognition"),
        route="route",
        uscc=pl.col("uscc").fill_null(""),
        updated_at=moment("updated_at"),
        is_valid=pl.when("is_revoked").then(pl.lit("0")).otherwise(pl.lit("1")),
        revoked_on=day("revoked_on"),
        _person="person",
        _entered_at=moment("entered_at"),
    )


def make(scene: Scene) -> Iterator[Versions]:
    """The last state of each certificate and, for revoked ones, the version before it."""
    won = entrants(scene)["certificate_number"]
    typed = certificates(scene.people, won).with_row_index("certificate")
    revoked = pl.col("is_valid") == "0"
    current = (
        rows(scene.people, won)
        .with_row_index("_certificate")
        .with_columns(
            _key=pl.col("_certificate").cast(pl.String),
            _from="updated_at",
            _until=pl.lit(""),
        )
    )
    before = current.filter(revoked & (pl.col("_entered_at") < pl.col("updated_at"))).with_columns(
        is_valid=pl.lit("1"), revoked_on=pl.lit(""), _from="_entered_at", _until="updated_at", updated_at="_entered_at",
        **CLEAN,
    )  # fmt: skip
    spoilt = spoil(current, kinds(), scene.parameters.dirt, scene.stream(NAME), ~revoked)
    scene.accepted[NAME] = not_refused(typed, spoilt, "certificate")
    yield Versions(pl.concat([spoilt, before]))


FEED = Feed(NAME, Table("zs01", "职业技能证书（合成数据）", FIELDS, moment="aae036"), make)
