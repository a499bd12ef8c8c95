"""Write what a department sends, as the dice say: in time, late, broken off or incomplete and then again."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import polars as pl

from sandbox import deliveries
from sandbox.calendar import HORIZON, OPENING_DAY
from sandbox.fates import Fate
from sandbox.feeds import every
from sandbox.feeds.model import Consignment, Drop, Due, Feed
from sandbox.records import Records

# What is left of a file that breaks off; which rows an incomplete consignment lacks.
SHARE_THAT_CAME = 0.6
EVERY_NTH_LACKING = 20


def send(home: Path, feed: Feed, consignment: Consignment, fate: Fate, noted: Records) -> None:
    """Write the files of a consignment for each day on which they come, and note what is wrong in them."""
    if fate.first is not None and fate.first <= HORIZON:
        rows = consignment.rows
        if fate.kind == "corrected":
            rows = rows.gather(pl.Series([n for n in range(len(rows)) if n % EVERY_NTH_LACKING != 7]))
        paths = _write(home, feed, consignment, rows, fate.first, None if fate.kind == "spoilt" else noted)
        if fate.kind == "spoilt":
            deliveries.break_off(paths[0], SHARE_THAT_CAME)
            deliveries.set_time(paths[0], fate.first, 0)
    if fate.again is not None and fate.again <= HORIZON:
        _write(home, feed, consignment, consignment.rows, fate.again, noted)


def _write(
    home: Path, feed: Feed, consignment: Consignment, rows: pl.DataFrame, day: date, noted: Records | None
) -> list[Path]:
    medium = f"drop/{feed.department}" if isinstance(feed.medium, Drop) else "sftp"
    paths = []
    for order, file in enumerate(consignment.files(rows)):
        path = deliveries.folder_for(home, medium, day, OPENING_DAY) / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        written = file.write(path)
        deliveries.set_time(path, day, order)
        paths.append(path)
        if written is not None and noted is not None:
            for name, part in _by_feed(written, feed.name):
                noted.note(part, name, consignment.due.delivery, path.name, file.key, day)
    return paths


def _by_feed(rows: pl.DataFrame, feed: str) -> list[tuple[str, pl.DataFrame]]:
    """The rows of each feed in a file; all of them are `feed`'s where it holds no other's."""
    if "_feed" not in rows.columns:
        return [(feed, rows)]
    return [(str(name), part) for (name,), part in rows.group_by("_feed", maintain_order=True)]


def last_deliveries(last: date) -> dict[str, str]:
    """The last delivery that each feed of files plans up to a day, by feed; who is asked always has an answer."""
    planned = {feed.name: [due.delivery for due in feed.dues(last)] for feed in every()}
    return {feed: max(deliveries) for feed, deliveries in planned.items() if deliveries}


def write_plan(home: Path, fates: dict[tuple[str, Due], Fate]) -> None:
    """Keep what is to come and what becomes of it, for `advance`."""
    plan = [
        {
            "feed": feed,
            "delivery": due.delivery,
            "part": due.part,
            "due": due.day.isoformat(),
            "fate": fate.kind,
            "comes": [day.isoformat() for day in (fate.first, fate.again) if day is not None],
        }
        for (feed, due), fate in fates.items()
        if due.day > OPENING_DAY
    ]
    (home / "deliveries.json").write_text(json.dumps(plan, indent=1) + "\n", "ascii")


def expected(home: Path, after: date, until: date) -> list[dict[str, object]]:
    """What came in (after, until], in order of the days; and, at its due day, what did not come then."""
    plan = json.loads((home / "deliveries.json").read_text("ascii"))
    found: list[dict[str, object]] = []
    for planned in plan:
        common = {name: planned[name] for name in ("feed", "delivery", "part", "fate")}
        for number, day in enumerate(planned["comes"]):
            if after.isoformat() < day <= until.isoformat():
                is_right = planned["fate"] not in {"spoilt", "corrected"} or number == 1
                found.append({"day": day, **common, "came": "right" if is_right else "wrong"})
        if planned["fate"] in {"late", "never"} and after.isoformat() < planned["due"] <= until.isoformat():
            found.append({"day": planned["due"], **common, "came": "not"})
    return sorted(found, key=lambda delivery: tuple(str(delivery[name]) for name in ("day", "feed", "part")))
