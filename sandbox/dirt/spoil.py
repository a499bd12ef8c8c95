"""Put dirt into rows."""

from __future__ import annotations

import numpy as np
import polars as pl

from sandbox.dirt.kinds import ANY, Kind

CLEAN = {"_kind": pl.lit(""), "_rules": pl.lit(""), "_is_double": pl.lit(False)}
"""Columns of rows that nothing was done to."""


def spoil(
    frame: pl.DataFrame, kinds: list[Kind], rate: float, rng: np.random.Generator, wrong: pl.Expr = ANY
) -> pl.DataFrame:
    """`frame` with about `rate` of its rows dirty, columns `_kind` and `_rules` added, duplicates after the row
    that they double.

    Args: `wrong` limits which rows may become wrong (a refused row must have no other effect). The order of rows is
    kept. Of two rows that contradict each other both are wrong: nobody can tell which one is right.
    """
    size = len(frame)
    frame = frame.with_columns(_order=pl.int_range(size).cast(pl.Float64), **CLEAN)
    rows = rng.permutation(size)[: round(size * rate)]
    share = np.array([kind.share for kind in kinds])
    chosen = rng.choice(len(kinds), len(rows), p=share / share.sum())
    target = pl.DataFrame({"_order": rows.astype(np.float64), "_number": chosen})
    dirty = frame.join(target, on="_order", how="inner", maintain_order="left")
    changed: list[pl.DataFrame] = []
    added: list[pl.DataFrame] = []
    for number, kind in enumerate(kinds):
        fits = kind.eligible & wrong if kind.is_wrong else kind.eligible
        part = dirty.filter((pl.col("_number") == number) & fits).drop("_number")
        if part.is_empty():
            continue
        marks = {"_kind": pl.lit(kind.name), "_rules": pl.lit(",".join(kind.rules))}
        result = kind.change(part).with_columns(**marks)
        if kind.duplicate:
            side = pl.Series(rng.choice([-0.5, 0.5], len(result))) if kind.duplicate == "newer" else 0.5
            added.append(result.with_columns(pl.col("_order") + side, _is_double=pl.lit(not kind.is_wrong)))
            if kind.is_wrong:
                changed.append(part.with_columns(**marks))
        else:
            changed.append(result)
    if changed:
        spoiled = pl.concat(changed)
        frame = pl.concat([frame.join(spoiled, on="_order", how="anti"), spoiled])
    return pl.concat([frame, *added]).sort("_order").drop("_order")


def refused() -> pl.Expr:
    """Rows of a spoiled frame that must be refused."""
    return (pl.col("_rules") != "") & (pl.col("_rules") != "uscc_check_digit")


def not_refused(typed: pl.DataFrame, spoiled: pl.DataFrame, by: str) -> pl.DataFrame:
    """What the truth keeps of `typed`: rows are known by the column `by`, in the spoiled frame by `_` and its name."""
    bad = spoiled.filter(refused())[f"_{by}"]
    return with_sent_codes(typed.filter(~pl.col(by).is_in(bad.implode())), spoiled, by)


def with_sent_codes(typed: pl.DataFrame, spoiled: pl.DataFrame, by: str) -> pl.DataFrame:
    """`typed` with each credit code as it was sent, rows known as in `not_refused`.

    A code with a wrong check character is warned of and kept: it is another code, and matches no other feed's and no
    other row's. What is sent as `leader_uscc` may be typed as `uscc`; a frame without a credit code stays as it is.
    """
    key = f"_{by}"
    wrong = spoiled.filter(pl.col("_rules") == "uscc_check_digit").with_columns(pl.col(key).cast(typed.schema[by]))
    for sent in spoiled.columns:
        column = sent if sent in typed.columns else "uscc"
        if sent.endswith("uscc") and not sent.startswith("_") and column in typed.columns:
            codes = wrong.select(key, _sent=sent).unique(key)
            typed = (
                typed.join(codes, left_on=by, right_on=key, how="left", maintain_order="left")
                .with_columns(pl.coalesce("_sent", column).alias(column))
                .drop("_sent")
            )
    return typed


def kinds_by(spoiled: pl.DataFrame, by: str) -> dict[str, str]:
    """The kind of dirt by the text in `by`, for `apply_plan`."""
    return dict(spoiled.filter(pl.col("_kind") != "").select(by, "_kind").iter_rows())


def apply_plan(listed: pl.DataFrame, kinds: list[Kind], kind_of: dict[str, str], by: str) -> pl.DataFrame:
    """`listed` with the kind of dirt that `kind_of` has for the text in `by`; for lists that come again and again."""
    known = {kind.name: kind for kind in kinds}
    frame = listed.with_columns(
        _order=pl.int_range(pl.len()).cast(pl.Float64),
        **CLEAN | {"_kind": pl.col(by).replace_strict(kind_of, default="", return_dtype=pl.String)},
    )
    parts = []
    for (name,), part in frame.group_by("_kind", maintain_order=True):
        kind = known.get(str(name))
        if kind is None:
            parts.append(part)
            continue
        changed = kind.change(part).with_columns(_rules=pl.lit(",".join(kind.rules)))
        if kind.duplicate:
            doubled = changed.with_columns(pl.col("_order") + 0.5, _is_double=pl.lit(not kind.is_wrong))
            marks = {"_rules": pl.lit(",".join(kind.rules))} if kind.is_wrong else {"_kind": pl.lit("")}
            parts += [part.with_columns(**marks), doubled]
        else:
            parts.append(changed)
    return pl.concat(parts).sort("_order").drop("_order")
