"""Those who completed or left training in a quarter, and what they did afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import groupby
from typing import Any

import polars as pl

from sandbox.truth.periods import Period, periods

# Trainings that are so many days apart, or more, are two episodes.
DAYS_BETWEEN_EPISODES = 90
# Of one that is still under way by the record nobody has said how it ended.
COMPLETIONS = {"02": "completed", "03": "left"}


def quarters_of(period: Period) -> list[Period]:
    """The quarter itself, or the four of a year."""
    return [quarter for quarter in periods("quarter") if period.start <= quarter.start and quarter.end <= period.end]


def completers(trainings: pl.DataFrame, quarter: Period) -> pl.DataFrame:
    """The latest record of each person that was completed in the quarter."""
    return (
        trainings.filter((pl.col("status") == "02") & pl.col("completion_date").is_between(quarter.start, quarter.end))
        .sort("completion_date", "enrollment_id")
        .unique("person", keep="last", maintain_order=True)
    )


def leavers(exits: pl.DataFrame, quarter: Period) -> pl.DataFrame:
    """The latest exit of each person in the quarter."""
    return (
        exits.filter(pl.col("exit_on").is_between(quarter.start, quarter.end))
        .sort("exit_on")
        .unique("person", keep="last", maintain_order=True)
    )


def overlaps(persons: pl.DataFrame, spells: pl.DataFrame, first: pl.Expr, last: pl.Expr) -> pl.Series:
    """For each of `persons`, who stand there once, whether a spell overlaps [first, last]."""
    joined = (
        persons.with_columns(_first=first, _last=last)
        .select("person", "_first", "_last")
        .join(spells.select("person", _s="start_date", _e="end_date"), on="person")
    )
    met = joined.filter(
        (pl.col("_s") <= pl.col("_last")) & (pl.col("_e").is_null() | (pl.col("_e") >= pl.col("_first")))
    )
    return persons["person"].is_in(met["person"].implode())


def begun_at_work(trainings: pl.DataFrame, spells: pl.DataFrame) -> pl.DataFrame:
    """Those of `trainings`, of which a person may have several, on whose first day a spell was in force."""
    numbered = trainings.with_row_index("_row")
    joined = numbered.select("_row", "person", _first="start_date").join(
        spells.select("person", _s="start_date", _e="end_date"), on="person"
    )
    met = joined.filter(
        (pl.col("_s") <= pl.col("_first")) & (pl.col("_e").is_null() | (pl.col("_e") >= pl.col("_first")))
    )
    return numbered.join(met, on="_row", how="semi", maintain_order="left").drop("_row")


def found_work(persons: pl.DataFrame, spells: pl.DataFrame) -> pl.DataFrame:
    """Those who were not registered when the course began, with `found`: registered in the sixth month after it."""
    month = pl.col("completion_date").dt.month_start().dt.offset_by("6mo")
    at_start = overlaps(persons, spells, pl.col("start_date"), pl.col("start_date"))
    found = overlaps(persons, spells, month, month.dt.month_end())
    return persons.with_columns(found=found).filter(~at_start)


def exits_of(trainings: pl.DataFrame, spells: pl.DataFrame) -> pl.DataFrame:
    """person, county, exit_on, completion, at_entry: one row an episode of trainings."""
    said = pl.when(pl.col("status") == "02").then("completion_date").when(pl.col("status") == "03").then("left_on")
    columns = ("person", "start_date", "enrollment_id", "last_day", "county", "status")
    rows = (
        trainings.filter(pl.col("status") != "09")
        .with_columns(last_day=pl.coalesce(said, "planned_end_date"))
        .select(columns)
        .sort("person", "start_date", "enrollment_id")
    )
    episodes = [episode for _, own in groupby(rows.iter_rows(), key=lambda row: row[0]) for episode in _episodes(own)]
    exits = pl.DataFrame(
        episodes,
        schema={
            "person": rows.schema["person"],
            "county": rows.schema["county"],
            "entered_on": pl.Date,
            "exit_on": pl.Date,
            "completion": pl.String,
        },
        orient="row",
    )
    return exits.with_columns(at_entry=pl.Series(_at_entry(exits, spells), dtype=pl.String))


def _episodes(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """The episodes of one person, whose trainings come in the order in which they began."""
    episode: list[tuple[Any, ...]] = []
    for row in rows:
        if episode and (row[1] - max(earlier[3] for earlier in episode)).days >= DAYS_BETWEEN_EPISODES:
            yield _exit(episode)
            episode = []
        episode.append(row)
    if episode:
        yield _exit(episode)


def _exit(episode: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    """An episode is left as, when and from where its last training was."""
    person, _, _, last_day, county, status = max(episode, key=lambda row: (row[3], row[1], row[2]))
    return person, county, min(row[1] for row in episode), last_day, COMPLETIONS.get(status, "unstated")


def _at_entry(exits: pl.DataFrame, spells: pl.DataFrame) -> list[str]:
    """Whether a person was an incumbent, employed otherwise, or not, on the first day of each episode."""
    posts: dict[Any, list[list[Any]]] = {}
    own = spells.filter(pl.col("person").is_in(exits["person"].unique().implode()))
    for person, employer, first, last in (
        own.select("person", "employer_code", "start_date", "end_date")
        .sort("person", "employer_code", "start_date")
        .iter_rows()
    ):
        known = posts.setdefault(person, [])
        until = last or date.max
        # Two registrations with one employer that meet are one post.
        if known and known[-1][0] == employer and first <= _day_after(known[-1][2]):
            known[-1][2] = max(known[-1][2], until)
        else:
            known.append([employer, first, until])
    labels = []
    half_a_year_before = pl.col("entered_on").dt.offset_by("-6mo")
    for person, entered_on, before in exits.select("person", "entered_on", before=half_a_year_before).iter_rows():
        since = [first for _, first, until in posts.get(person, ()) if first <= entered_on <= until]
        is_incumbent = any(first <= before for first in since)
        labels.append("incumbent" if is_incumbent else "employed_other" if since else "not_employed")
    return labels


def _day_after(day: date) -> date:
    return day if day == date.max else day + timedelta(days=1)
