"""Write the whole sandbox to a folder: what the departments serve, and the truth beside it."""

from __future__ import annotations

import gzip
import json
import re
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from sandbox import dirt, population, published_income, roster, source_rows, wages

VERSION = 1
# Delivery months that bring a correction file: the fourth, and then every third.
CORRECTION_EVERY, FIRST_CORRECTION = 3, 3
CORRECTION_SHARE = 0.004
DIRT_STREAM = 99


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a sandbox is made of. `dirt` is the share of dirty rows; `rows_per_part` cuts a wage month into files."""

    scale: float = 0.0005
    seed: int = 20250527
    dirt: float = 0.02
    rows_per_part: int = 8_000
    truth: bool = True


def months() -> list[date]:
    """First days of the 24 months of the window."""
    return [date(2024 + (6 + number) // 12, (6 + number) % 12 + 1, 1) for number in range(24)]


def quarter_ends() -> list[tuple[str, date]]:
    """Delivery key and last day of the eight quarters of the window."""
    result = []
    for first in months():
        if first.month % 3 == 0:
            last = (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
            result.append((f"{first.year}Q{first.month // 3}", last))
    return result


@dataclass(slots=True)
class Records:
    """What goes into the truth: wrong rows and counts."""

    bad_rows: list[pl.DataFrame]
    counts: list[dict[str, object]]

    def note(self, rows: pl.DataFrame, feed: str, delivery: str, source_name: str, key: pl.Expr) -> None:
        """Keep the wrong rows of one file or table (`_row` = data row, 1-based) and its counts."""
        self.bad_rows.append(
            rows.filter(dirt.refused()).select(
                feed=pl.lit(feed),
                delivery=pl.lit(delivery),
                source_name=pl.lit(source_name),
                row_number=pl.col("_row").cast(pl.Int64),
                key=key.cast(pl.String),
                kind=pl.col("_kind"),
                rules=pl.col("_rules").str.split(","),
            )
        )
        duplicates = rows.select(pl.col("_kind").is_in(["exact_duplicate", "older_version"]).sum()).item()
        self.counts.append(
            {
                "feed": feed,
                "delivery": delivery,
                "source_name": source_name,
                "received": len(rows),
                "refused": rows.select(dirt.refused().sum()).item(),
                "duplicates": duplicates,
            }
        )


def run(home: Path, parameters: Parameters) -> bool:
    """Generate into `home`. Returns False when it already holds the same (then nothing is touched)."""
    manifest = home / "manifest.json"
    wanted = {"version": VERSION, **asdict(parameters)}
    if manifest.exists() and json.loads(manifest.read_text("utf-8")) == wanted:
        return False
    manifest.unlink(missing_ok=True)
    for name in ("gateway", "database", "sftp", "drop", "truth"):
        shutil.rmtree(home / name, ignore_errors=True)
        (home / name).mkdir(parents=True)
    _credentials(home)
    people = population.generate(parameters.scale, parameters.seed)
    records = Records([], [])
    trainings = _write_trainings(people, home, parameters, records)
    spells = _write_employment(people, home, parameters, records)
    certificates = _write_certificates(people, home, parameters, records)
    enterprises = _write_roster(home, parameters, records)
    for delivery, number in published_income.write(home / "drop" / "statistics").items():
        records.counts.append(
            {"feed": "statistics/resident_income", "delivery": delivery,
             "source_name": f"resident_income_{delivery}.csv",
             "received": number, "refused": 0, "duplicates": 0}
        )  # fmt: skip
    _write_wages(people, home, parameters, records)
    (home / "sftp" / "SYNTHETIC-合成数据.txt").write_text(
        "本目录全部为合成数据。All data here are synthetic.\n", "utf-8"
    )
    truth = home / "truth"
    pl.concat(records.bad_rows).write_parquet(truth / "bad_rows.parquet")
    pl.DataFrame(records.counts).write_parquet(truth / "counts.parquet")
    if parameters.truth:
        from sandbox import truth as truth_module

        truth_module.write(truth, people, trainings, spells, certificates, enterprises)
    manifest.write_text(json.dumps(wanted, indent=1), "utf-8")
    return True


def _credentials(home: Path) -> None:
    path = home / "credentials.json"
    if path.exists():
        return
    path.touch(mode=0o600)
    path.write_text(json.dumps({"app_id": "threegaps", "app_secret": secrets.token_hex(24)}), "utf-8")


def _stream(parameters: Parameters, *numbers: int) -> np.random.Generator:
    return np.random.default_rng([parameters.seed, DIRT_STREAM, *numbers])


def _write_trainings(
    people: population.Population, home: Path, parameters: Parameters, records: Records
) -> pl.DataFrame:
    """Gateway rows.

    Dirt falls on the last version only, and only where that is the first one that ended the training.
    """
    rows = source_rows.trainings(people)
    last = pl.col("_version") == pl.col("_version").max().over("enrollment_id")
    current, older = rows.filter(last), rows.filter(~last)
    spoilt = dirt.spoil(
        current, dirt.training_kinds(), parameters.dirt, _stream(parameters, 1), pl.col("_version") <= 2
    )
    spoilt = spoilt.with_columns(_row=pl.int_range(1, pl.len() + 1))
    records.note(spoilt, "hrss/training_enrollments", "", "gateway", pl.col("enrollment_id"))
    # The record behind a row stays known where its number is spoilt or an older version stands beside it.
    record = pl.col("enrollment_id").alias("_record")
    stored = pl.concat([spoilt.drop("_row"), older.with_columns(_kind=pl.lit(""), _rules=pl.lit(""))])
    stored.with_columns(record).drop("_kind", "_rules", "_person").rename(source_rows.TRAINING_NAMES).sort(
        "updatedAt", "enrollmentId"
    ).write_parquet(home / "gateway" / "training_enrollments.parquet")
    good = spoilt.filter(~dirt.refused()).select("enrollment_id", "_version")
    return people.trainings.join(
        good, left_on=["enrollment_id", "version"], right_on=["enrollment_id", "_version"], how="semi"
    )


def _write_employment(
    people: population.Population, home: Path, parameters: Parameters, records: Records
) -> pl.DataFrame:
    """Table dy13: the current state and, for closed spells, the open version before it.

    `_until` says when a version was overtaken.
    """
    rows = source_rows.employment(people).with_row_index("_spell")
    closed = pl.col("end_date") != ""
    # A wrong row must have no other effect: only spells that were never open before may be wrong.
    spoilt = dirt.spoil(rows, dirt.employment_kinds(), parameters.dirt, _stream(parameters, 2), ~closed)
    spoilt = spoilt.with_columns(_row=pl.int_range(1, pl.len() + 1))
    records.note(spoilt, "hrss/employment_registrations", "", "dy13", pl.col("_spell"))
    opened = rows.filter(closed & (pl.col("_opened_at") < pl.col("updated_at"))).select(
        *[name for name in source_rows.EMPLOYMENT_NAMES if name not in ("end_date", "updated_at")],
        end_date=pl.lit(""),
        _until=pl.col("updated_at"),
        updated_at=pl.col("_opened_at"),
    )
    _write_table(spoilt, opened, source_rows.EMPLOYMENT_NAMES, home / "database" / "dy13.parquet")
    bad = spoilt.filter(dirt.refused())["_spell"]
    return people.spells.with_row_index("_spell").filter(~pl.col("_spell").is_in(bad.implode()))


def _write_certificates(
    people: population.Population, home: Path, parameters: Parameters, records: Records
) -> pl.DataFrame:
    """Table zs01: the current state and, for revoked certificates, the version before."""
    rows = source_rows.certificates(people).with_row_index("_certificate")
    revoked = pl.col("is_valid") == "0"
    spoilt = dirt.spoil(rows, dirt.certificate_kinds(), parameters.dirt, _stream(parameters, 3), ~revoked)
    spoilt = spoilt.with_columns(_row=pl.int_range(1, pl.len() + 1))
    records.note(spoilt, "hrss/certificates", "", "zs01", pl.col("_certificate"))
    before = rows.filter(revoked & (pl.col("_entered_at") < pl.col("updated_at"))).select(
        *[name for name in source_rows.CERTIFICATE_NAMES if name not in ("is_valid", "revoked_on", "updated_at")],
        is_valid=pl.lit("1"),
        revoked_on=pl.lit(""),
        _until=pl.col("updated_at"),
        updated_at=pl.col("_entered_at"),
    )
    _write_table(spoilt, before, source_rows.CERTIFICATE_NAMES, home / "database" / "zs01.parquet")
    bad = spoilt.filter(dirt.refused())["_certificate"]
    return people.certificates.with_row_index("_certificate").filter(~pl.col("_certificate").is_in(bad.implode()))


def _write_table(current: pl.DataFrame, before: pl.DataFrame, names: dict[str, str], path: Path) -> None:
    """Store a department's table with `_until`: empty for current rows, else the moment that overtook the row."""
    columns = list(names)
    pl.concat([current.select(*columns, pl.lit("").alias("_until")), before.select(*columns, "_until")]).rename(
        names
    ).sort("aae036", maintain_order=True).write_parquet(path)


def _write_roster(home: Path, parameters: Parameters, records: Records) -> pl.DataFrame:
    """One workbook a quarter.

    The same enterprises are dirty in every quarter, so that a refused one is never half known.
    """
    folder = home / "drop" / "hrss"
    folder.mkdir(parents=True)
    enterprises = roster.generate(parameters.seed)
    final = roster.as_listed(enterprises, quarter_ends()[-1][1])
    plan = dirt.spoil(final, dirt.roster_kinds(), parameters.dirt, _stream(parameters, 4))
    # Which enterprise gets which kind is settled on the last list (by name: the code itself may be spoilt).
    kind_of = dict(plan.filter(pl.col("_kind") != "").select("enterprise_name", "_kind").iter_rows())
    for delivery, last in quarter_ends():
        listed = roster.as_listed(enterprises, last)
        spoilt = _apply_plan(listed, kind_of)
        name = f"skill_enterprises_{delivery}.xlsx"
        written = roster.write(spoilt, folder / name, last).with_columns(_row=pl.int_range(1, pl.len() + 1))
        records.note(written, "hrss/skill_enterprises", delivery, name, pl.col("enterprise_name"))
    kinds = {kind.name: kind for kind in dirt.roster_kinds()}
    bad = {name for name, kind in kind_of.items() if kinds[kind].is_wrong and kinds[kind].duplicate != "exact"}
    names = roster.as_listed(enterprises, quarter_ends()[-1][1]).select("uscc", "enterprise_name")
    good = names.filter(~pl.col("enterprise_name").is_in(sorted(bad)))
    return enterprises.join(good, on="uscc", how="semi")


def _apply_plan(listed: pl.DataFrame, kind_of: dict[str, str]) -> pl.DataFrame:
    """`listed` with each enterprise's own kind of dirt applied."""
    kinds = {kind.name: kind for kind in dirt.roster_kinds()}
    frame = listed.with_columns(
        _kind=pl.col("enterprise_name").replace_strict(kind_of, default="", return_dtype=pl.String),
        _rules=pl.lit(""),
        _order=pl.int_range(pl.len()).cast(pl.Float64),
    )
    parts = []
    for (name,), part in frame.group_by("_kind", maintain_order=True):
        kind = kinds.get(str(name))
        if kind is None:
            parts.append(part)
            continue
        changed = kind.change(part).with_columns(_rules=pl.lit(",".join(kind.rules)))
        if kind.duplicate:
            first = part.with_columns(_rules=pl.lit(",".join(kind.rules)))
            if kind.duplicate == "exact":
                first = part.with_columns(_kind=pl.lit(""))
            parts += [first, changed.with_columns(pl.col("_order") + 0.5)]
        else:
            parts.append(changed)
    return pl.concat(parts).sort("_order").drop("_order")


def _write_wages(people: population.Population, home: Path, parameters: Parameters, records: Records) -> None:
    """Month after month: original parts, and correction files that later deliveries bring."""
    pending: dict[date, list[pl.DataFrame]] = {}
    truth = home / "truth" / "wages"
    truth.mkdir(parents=True)
    window = months()
    carriers = window[FIRST_CORRECTION::CORRECTION_EVERY]
    for number, first in enumerate(window):
        folder = home / "sftp" / "wage_records" / f"{first:%Y%m}"
        folder.mkdir(parents=True)
        clean = wages.month(people, first, parameters.seed)
        sent = wages.as_sent(clean).with_columns(_position=pl.int_range(pl.len()))
        spoilt = dirt.spoil(sent, dirt.wage_kinds(), parameters.dirt, _stream(parameters, 5, number))
        bad = spoilt.filter(dirt.refused())["_position"]
        kept = clean.filter(~pl.int_range(pl.len()).is_in(bad.implode()))
        final = _plan_corrections(kept, first, carriers, pending, _stream(parameters, 6, number))
        if parameters.truth:
            final.write_parquet(truth / f"{first:%Y%m}.parquet")
        _write_month(spoilt, folder, first, parameters.rows_per_part, records)
        corrections = pending.pop(first, [])
        if corrections:
            _write_correction(pl.concat(corrections), folder, first, records)


def _plan_corrections(
    kept: pl.DataFrame,
    first: date,
    carriers: list[date],
    pending: dict[date, list[pl.DataFrame]],
    rng: np.random.Generator,
) -> pl.DataFrame:
    """Choose rows that a later delivery corrects or withdraws. Returns what stands at the end of the window."""
    later = [month for month in carriers if month > first]
    columns = ["person", "employer", "work", "wage_month", "scheme", "payment_type", "cents"]
    if not later:
        return kept.select(columns)
    draw = pl.Series(rng.random(len(kept)))
    chosen = kept.filter(draw < CORRECTION_SHARE).with_row_index("_chosen")
    untouched = kept.filter(draw >= CORRECTION_SHARE).select(columns)
    changed = chosen.with_columns(
        cents=((pl.col("cents") * 1.1).cast(pl.Int64) // 10_000) * 10_000,
        withdrawn=pl.col("_chosen") % 5 == 0,
        correction_number=pl.lit(1),
    ).drop("_chosen")
    pending.setdefault(later[0], []).append(changed)
    if len(later) > 1:
        # A few are corrected a second time, later.
        again = (
            changed.filter(~pl.col("withdrawn"))
            .gather_every(7)
            .with_columns(cents=pl.col("cents") + 20_000, correction_number=pl.lit(2))
        )
        pending.setdefault(later[1], []).append(again)
        keys = ["person", "employer", "scheme", "payment_type"]
        changed = pl.concat([changed.join(again, on=keys, how="anti"), again])
    return pl.concat([untouched, changed.filter(~pl.col("withdrawn")).select(columns)])


def _encode(rows: pl.DataFrame) -> bytes:
    """Lines of wage rows in GB18030. Only the non-ASCII runs are encoded anew: they are few."""
    text = rows.write_csv(None, include_header=False, quote_style="never").encode("utf-8")
    return re.sub(rb"[\x80-\xff]+", lambda found: found.group().decode("utf-8").encode("gb18030"), text)


def _blocks(rows: pl.DataFrame, size: int = 250_000) -> Iterator[pl.DataFrame]:
    for offset in range(0, len(rows), size):
        yield rows.slice(offset, size)


def _write_file(rows: pl.DataFrame, path: Path) -> None:
    """One gzip CSV with header and total line; the gzip header has no time, so that bytes are equal for equal seeds."""
    names = source_rows.WAGE_NAMES
    with path.open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=1, mtime=0, filename="") as target:
        target.write((",".join(names.values()) + "\n").encode("gb18030"))
        for block in _blocks(rows.select(*names)):
            target.write(_encode(block))
        target.write(f"合计,{len(rows)}条{',' * 13}\n".encode("gb18030"))


def _write_month(rows: pl.DataFrame, folder: Path, first: date, rows_per_part: int, records: Records) -> None:
    """The parts of a month and its control file."""
    parts = max(-(-len(rows) // rows_per_part), 1)
    size = -(-len(rows) // parts)
    for part in range(parts):
        block = rows.slice(part * size, size).with_columns(_row=pl.int_range(1, pl.len() + 1))
        name = f"wage_{first:%Y%m}_part{part + 1:02d}of{parts:02d}.csv.gz"
        _write_file(block, folder / name)
        key = pl.concat_str("_person", "employer_code", "wage_month", "scheme", "payment_type", separator="|")
        records.note(block, "hrss/wage_records", f"{first:%Y-%m}", name, key)
    (folder / f"wage_{first:%Y%m}.ok").write_text(f"parts={parts} rows={len(rows)}\n", "ascii")


def _write_correction(rows: pl.DataFrame, folder: Path, first: date, records: Records) -> None:
    """The correction file of a delivery: rows of earlier months, clean."""
    sent = wages.as_sent(rows).with_columns(_kind=pl.lit(""), _rules=pl.lit(""), _row=pl.int_range(1, pl.len() + 1))
    name = f"wage_{first:%Y%m}_correction01.csv.gz"
    _write_file(sent, folder / name)
    records.note(sent, "hrss/wage_records", f"{first:%Y-%m}", name, pl.col("_person"))
