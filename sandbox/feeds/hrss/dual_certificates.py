"""hrss/dual_certificates (一试双证发证): changes by update time, through the HTTP gateway, along a cursor.

Each row is a certificate of the population, under the number that hrss/certificates has it by. A few name one that is
not there, as happens where a number was mistyped.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from sandbox.dirt.kinds import (
    ANY,
    Kind,
    county_kinds,
    date_kinds,
    each_text,
    put,
    required_kind,
)
from sandbox.dirt.spoil import CLEAN, not_refused, spoil
from sandbox.feeds.hrss.certificate_equivalences import TRADES
from sandbox.feeds.model import DataSet, Feed, Scene, UpdateWindow, Versions
from sandbox.feeds.paging import Cursor
from sandbox.feeds.texts import county_code, day, moment

NAME = "hrss/dual_certificates"
FIELDS = {
    "certificate_number": "certificateNumber", "enterprise_certificate": "enterpriseCertificate",
    "issue_county_code": "issueCounty", "issued_on": "issuedOn", "updated_at": "updatedAt", "is_valid": "isValid",
}  # fmt: skip
SHARE_OF_EMPLOYERS, SHARE_OF_SOCIAL_BODIES = 0.3, 0.05
SHARE_MISTYPED, SHARE_WITHDRAWN = 0.01, 0.01


def kinds() -> list[Kind]:
    """What may be wrong, and what is only written otherwise."""
    number = "certificate_number"
    return [
        *county_kinds("issue_county_code"),
        *date_kinds("issued_on"),
        required_kind(number),
        required_kind("enterprise_certificate"),
        Kind("number_too_short", (f"{number}_pattern",), each_text(number, lambda text: text[:-1]), ANY),
        Kind(
            "number_of_another_province", (f"{number}_pattern",), each_text(number, lambda t: t[:5] + "32" + t[7:]), ANY
        ),
        Kind("issued_too_early", ("issued_on_range",), put(issued_on="2019-12-31"), ANY),
        Kind(
            "two_faults", ("issue_county_code_valid", "enterprise_certificate_required"),
            put(issue_county_code="330104", enterprise_certificate=""), ANY, 2,
        ),
        Kind("exact_duplicate", (), put(), ANY, 2, "", "exact"),
    ]  # fmt: skip


def dual_certificates(scene: Scene) -> pl.DataFrame:
    """The certificates that were issued together with another one, typed; `number_sent` is the number as it is sent."""
    rng = scene.stream(NAME, 1)
    eligible = scene.people.certificates.filter(
        (pl.col("certificate_type") == "01") & (pl.col("issued_on") >= pl.date(2024, 1, 1))
    )
    share = pl.when("by_employer").then(SHARE_OF_EMPLOYERS).otherwise(SHARE_OF_SOCIAL_BODIES)
    chosen = eligible.filter(pl.Series(rng.random(len(eligible))) < share)
    size = len(chosen)
    trade = rng.choice(TRADES, size)
    entered = chosen["issued_on"].to_numpy() + rng.integers(2, 20, size)
    # A site that there is none of.
    number = pl.col("certificate_number")
    mistyped = pl.concat_str(number.str.slice(0, 7), pl.lit("9"), number.str.slice(8))
    return (
        chosen.select(
            "person",
            "certificate_number",
            "issue_county",
            "issued_on",
            number_sent=pl.when(pl.Series(rng.random(size) < SHARE_MISTYPED)).then(mistyped).otherwise(number),
            enterprise_certificate=pl.Series([f"{name}行业合成证书" for name in trade], dtype=pl.String),
            is_withdrawn=pl.Series(rng.random(size) < SHARE_WITHDRAWN),
            entered_at=pl.Series(
                (entered.astype("datetime64[s]") + rng.integers(9 * 3600, 17 * 3600, size)).astype("datetime64[us]")
            ),
        )
        .with_columns(withdrawn_at=pl.col("entered_at") + pl.duration(days=12))
        .filter(pl.col("withdrawn_at").dt.date() <= scene.horizon)
    )


def rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Certificates in their last state, as the department writes them."""
    return frame.select(
        certificate_number="number_sent",
        enterprise_certificate="enterprise_certificate",
        issue_county_code=county_code("issue_county"),
        issued_on=day("issued_on"),
        updated_at=moment("updated_at"),
        is_valid=pl.when("is_withdrawn").then(pl.lit("0")).otherwise(pl.lit("1")),
        _certificate_number="certificate_number",
        _entered_at=moment("entered_at"),
    )


def make(scene: Scene) -> Iterator[Versions]:
    """The last state of each certificate and, for withdrawn ones, the one before."""
    typed = dual_certificates(scene).with_columns(
        updated_at=pl.when("is_withdrawn").then("withdrawn_at").otherwise("entered_at")
    )
    current = rows(typed).with_columns(_key="certificate_number", _from="updated_at", _until=pl.lit(""))
    withdrawn = pl.col("is_valid") == "0"
    before = current.filter(withdrawn).with_columns(
        is_valid=pl.lit("1"), updated_at="_entered_at", _from="_entered_at", _until="updated_at", **CLEAN
    )
    spoilt = spoil(current, kinds(), scene.parameters.dirt, scene.stream(NAME), ~withdrawn)
    scene.accepted[NAME] = not_refused(typed, spoilt, "certificate_number")
    yield Versions(pl.concat([spoilt, before]))


FEED = Feed(
    NAME,
    DataSet(
        name="hrss.dual_certificates",
        fields=FIELDS,
        order=("updatedAt", "certificateNumber"),
        paging=Cursor("CURSOR", "SIZE", "next", largest=2_000),
        page_interface="getdata",
        records="items",
        window=UpdateWindow("updatedFrom", "updatedTo", "updatedAt"),
    ),
    make,
)
