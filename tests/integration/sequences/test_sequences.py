"""Any sequence of deliveries, corrections, withdrawals, repairs and decisions ends in the rows that the rules say.

Each sequence goes through landing and the real load. After every step the table is compared with the model; at the end
a warehouse that is built anew from landing must hold the same rows and the same open refusals.

`THREEGAPS_SEQUENCES=2000 pytest tests/integration/sequences` tries more than the usual number of sequences.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.integration.faults.conftest import point_at
from tests.integration.sequences import small_contracts
from tests.integration.sequences.model import Arrival, Kind, Model, Row, Stopped
from tests.integration.sequences.scene import Scene
from threegaps import feed_run
from threegaps.contracts.model import Contract
from threegaps.landing.store import Arrival as Offered
from threegaps.landing.store import LandingStore
from threegaps.warehouse.repairs import Repair, repairs_file
from threegaps.warehouse.stopping import BatchStoppedError

pytestmark = pytest.mark.integration

EXAMPLES = int(os.environ.get("THREEGAPS_SEQUENCES", "15"))
MONTHS = {"full_period": ("2026-01", "2026-02"), "full_list": ("2026Q1", "2026Q2"), "changes": ("2026-01-01",) * 2}
FEEDS: dict[str, Kind] = {
    small_contracts.PERIODS: "full_period",
    small_contracts.LISTS: "full_list",
    small_contracts.CHANGES: "changes",
}
LAST = {"full_period": "2026-12", "full_list": "2026Q4", "changes": "2026-12-31"}


@dataclass(frozen=True)
class Step:
    """What happens next; the numbers choose among what there is."""

    action: str
    delivery: int
    rows: tuple[tuple[tuple[int, int, int, bool], ...], ...]
    choice: int
    loads: bool


ROW = st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 2), st.sampled_from([False, False, False, True]))
STEP = st.builds(
    Step,
    action=st.sampled_from(
        ["send", "send", "send", "correct", "correct", "control", "repair", "judge again", "accept", "send empty"]
    ),
    delivery=st.integers(0, 1),
    rows=st.lists(st.lists(ROW, max_size=4).map(tuple), min_size=1, max_size=2).map(tuple),
    choice=st.integers(0, 7),
    loads=st.sampled_from([True, True, True, False]),
)


@dataclass
class Run:
    """One sequence in the making, in the warehouse and in the model."""

    scene: Scene
    feed: str
    kind: Kind
    model: Model
    landed: list[tuple[Arrival, int]] = field(default_factory=list)
    pending: set[tuple[str, str]] = field(default_factory=set)
    stops: int = 0
    windows: int = 0
    corrections: int = 0
    repaired: set[tuple[int, int]] = field(default_factory=set)

    def take(self, step: Step) -> None:
        delivery = MONTHS[self.kind][step.delivery]
        rows = tuple(tuple(self._row(delivery, *values) for values in part) for part in step.rows)
        getattr(self, f"_{step.action.replace(' ', '_')}")(delivery, rows, step.choice)
        if step.loads:
            self.load()

    def load(self) -> None:
        self.pending.clear()
        stopped: Stopped | None = None
        try:
            self.model.load()
        except Stopped as stop:
            stopped = stop
        if stopped is None:
            feed_run.load(self.feed, LAST[self.kind])
        else:
            with pytest.raises(BatchStoppedError):
                feed_run.load(self.feed, LAST[self.kind])
        self.check(self.scene.dsn)

    def check(self, dsn: str) -> None:
        assert standing(dsn, self.scene.contracts[self.feed]) == self.model.standing()

    def _row(self, delivery: str, key: int, number: int, version: int, withdraws: bool) -> Row:
        month = delivery if self.kind == "full_period" else "2026-01"
        if self.kind == "full_list":
            version, withdraws = 0, False
        return Row("abc"[key], month, "none" if number == 3 else str(number), version, withdraws)

    def _send(self, delivery: str, parts: tuple[tuple[Row, ...], ...], choice: int) -> None:
        if self.kind == "full_list":
            self._land(delivery, "file", rows=parts[0])
        elif self.kind == "changes":
            self.windows += 1
            self._land(f"2026-01-{self.windows:02d}", "window", rows=parts[0])
        else:
            # Each part has a row of its own month; now and then one of the other month is among them.
            other = MONTHS[self.kind][delivery == MONTHS[self.kind][0]]
            sent = [
                (
                    Row(f"p{number}", delivery, "1"),
                    *(Row(row.key, other, row.number, row.version, row.withdraws) if choice == index else row
                      for index, row in enumerate(rows)),
                )
                for number, rows in enumerate(parts, 1)
            ]  # fmt: skip
            for number, rows in enumerate(sent, 1):
                self._land(delivery, f"part{number:04d}", rows=rows)
            self._announce(delivery, len(sent), sum(map(len, sent)) + (choice == 7))

    def _send_empty(self, delivery: str, parts: tuple[tuple[Row, ...], ...], choice: int) -> None:
        if self.kind == "full_list":
            self._land(delivery, "file", rows=())
        elif self.kind == "full_period":
            self._land(delivery, "part0001", rows=())
            self._announce(delivery, 1, 0)

    def _control(self, delivery: str, parts: tuple[tuple[Row, ...], ...], choice: int) -> None:
        """The control file alone: right, whatever it said before, or for fewer parts."""
        sent = {one.part: one for one in self.model.arrivals if one.delivery == delivery and one.is_original}
        if self.kind == "full_period" and sent:
            kept = [one for part, one in sorted(sent.items()) if choice > 2 or part == "part0001"]
            self._announce(delivery, len(kept), sum(len(one.rows) for one in kept))

    def _announce(self, delivery: str, parts: int, rows: int) -> None:
        self._land(delivery, "control", control=(parts, rows))

    def _correct(self, delivery: str, parts: tuple[tuple[Row, ...], ...], choice: int) -> None:
        if self.kind == "full_period" and any(one.delivery == delivery for one in self.model.arrivals):
            self.corrections += 1
            number = choice % 3 + 1 if choice < 5 else self.corrections + 3
            self._land(delivery, f"correction{number:04d}", rows=parts[0])

    def _repair(self, delivery: str, parts: tuple[tuple[Row, ...], ...], choice: int) -> None:
        """A department's repair of a refused row that waits; it has the row's own version."""
        self.load_first()
        with psycopg.connect(self.scene.dsn) as connection:
            tokens = connection.execute(
                "select r.row_token, r.landed_object_id, r.row_number, r.delivery from quarantine.refused_row as r"
                " join ops.batch as b using (batch_id) where r.closed_by_batch_id is null and b.status = 'loaded'"
                ' and reasons @> \'[{"rule": "number_type"}]\' order by 2, 3'
            ).fetchall()
        if not tokens:
            return
        token, landed, row_number, of_delivery = tokens[choice % len(tokens)]
        arrival = next(one for one in self.model.arrivals if one.landed == landed)
        wrong = arrival.rows[row_number - 1]
        right = Row(wrong.key, wrong.month, str(5 + choice), wrong.version, wrong.withdraws)
        count = sum(1 for one in self.model.arrivals if one.is_replay and one.delivery == of_delivery)
        self._land(of_delivery, f"replay-{count + 1:04d}", rows=(right,), tokens=(token,))

    def load_first(self) -> None:
        if self.pending:
            self.load()

    def _judge_again(self, delivery: str, parts: tuple[tuple[Row, ...], ...], choice: int) -> None:
        self.load_first()
        with psycopg.connect(self.scene.dsn) as connection:
            loaded = connection.execute(
                "select batch_id from ops.batch where status = 'loaded' order by batch_id"
            ).fetchall()
        if loaded:
            feed_run.judge_again(loaded[choice % len(loaded)][0])
            self.check(self.scene.dsn)

    def _accept(self, delivery: str, parts: tuple[tuple[Row, ...], ...], choice: int) -> None:
        self.load_first()
        try:
            self.model.load()
        except Stopped as stop:
            with psycopg.connect(self.scene.dsn) as connection:
                row = connection.execute(
                    "select batch_id, delivery from ops.batch where status = 'stopped' order by batch_id desc limit 1"
                ).fetchone()
            assert row is not None
            batch_id = feed_run.accept(row[0], accepted_by="a test", reason="it is meant")
            with psycopg.connect(self.scene.dsn) as connection:
                landed = connection.execute("select max(landed_object_id) from ops.landed_object").fetchone()
                said = connection.execute("select batch_id, accepted_by, reason from ops.acceptance"
                                          " where landed_object_id = %s", [landed[0]]).fetchone()  # fmt: skip
            assert said == (batch_id, "a test", "it is meant")
            count = sum(1 for one in self.model.arrivals if one.part.startswith("accept") and one.delivery == row[1])
            self.model.land(Arrival(landed[0], row[1], f"accept-{count + 1:04d}", accepts=stop.numbers))
            # That batch is loaded now; what waited behind it is not, and the model knows no such moment.
            self.load()

    def _land(
        self,
        delivery: str,
        part: str,
        *,
        rows: tuple[Row, ...] = (),
        control: tuple[int, int] | None = None,
        tokens: tuple[str, ...] = (),
    ) -> None:
        # Of two sendings that come before a load only the second is judged; built anew, both would be.
        is_sending = not part.startswith(("correction", "replay"))
        if (delivery, part) in self.pending or (is_sending and (delivery, "control") in self.pending):
            self.load()
        contract = self.scene.contracts[self.feed]
        content = self._content(contract, rows, control, tokens)
        bounds = (f"{delivery} 00:00:00", f"{delivery} 23:59:59") if part == "window" else (None, None)
        offered = Offered(
            part,
            f"{part}.csv",
            lambda: [content],
            is_correction=part.startswith(("correction", "replay")),
            watermark_from=bounds[0],
            watermark_to=bounds[1],
        )
        with psycopg.connect(self.scene.dsn, autocommit=True) as connection:
            store = LandingStore(self.scene.landing.as_uri())
            landed = store.land(connection, self.feed, delivery, offered)
        if landed is not None:
            self.pending.add((delivery, part))
            self.model.land(Arrival(landed.landed_object_id, delivery, part, rows, control))

    def _content(
        self, contract: Contract, rows: tuple[Row, ...], control: tuple[int, int] | None, tokens: tuple[str, ...]
    ) -> bytes:
        if control is not None:
            return f"parts={control[0]} rows={control[1]}\n".encode()
        lines = [self._values(row) for row in rows]
        if tokens:
            return repairs_file(
                [(Repair(token, None, number, {}), values)
                 for number, (token, values) in enumerate(zip(tokens, lines, strict=True), 1)]
            )  # fmt: skip
        names = small_contracts.header(contract.feed)
        return "".join(
            ",".join(line) + "\n" for line in (names, *([v[name] for name in names] for v in lines))
        ).encode()

    @staticmethod
    def _values(row: Row) -> dict[str, Any]:
        return {
            "key": row.key,
            "month": f"{row.month}-01",
            "county": "330106",
            "number": row.number,
            "correction": str(row.version),
            "updated_at": f"2026-01-01 00:00:{row.version:02d}",
            "operation": "0" if row.withdraws else "1",
        }


def standing(dsn: str, contract: Contract) -> dict[tuple[str, str], str]:
    """The open rows of a warehouse, as the model says them."""
    with psycopg.connect(dsn) as connection:
        made = connection.execute("select to_regclass(%s) is not null", [f"raw.{contract.table}"]).fetchone()
        if made != (True,):
            return {}
        rows = connection.execute(
            f"select key, to_char(month, 'YYYY-MM'), number::text from raw.{contract.table} where not _withdrawn"
        ).fetchall()
    return {(key, month if contract.delivery_kind == "full_period" else ""): number for key, month, number in rows}


def open_refusals(dsn: str) -> list[tuple[str, ...]]:
    """Refused rows of loaded batches that wait."""
    with psycopg.connect(dsn) as connection:
        return connection.execute(
            "select row_token, r.delivery from quarantine.refused_row as r join ops.batch as b using (batch_id)"
            " where closed_by_batch_id is null and b.status = 'loaded' order by 1"
        ).fetchall()


def overtaken(*, loads: bool) -> list[Step]:
    """A correction below its original row, judged with it or after it; then a sending without their key."""
    kept = ((0, 1, 0, False), (1, 1, 0, False))
    return [
        Step("send", 0, (((2, 1, 1, False), *kept),), 6, loads),
        Step("correct", 0, (((2, 2, 0, False),),), 5, loads=True),
        Step("send", 0, (kept,), 6, loads=True),
    ]


def shrunk() -> list[Step]:
    """A correction, and a sending that is small only for whoever counts what the correction has replaced."""
    same = (0, 0, 0, False)
    return [
        Step("send", 0, ((same, (1, 0, 0, False)), (same,)), 0, loads=True),
        Step("correct", 0, ((same,),), 0, loads=True),
        Step("send", 0, ((same,),), 0, loads=True),
    ]


def emptied() -> list[Step]:
    """A correction, and a sending behind it that stops: built anew, both are entered at once."""
    return [
        Step("send", 0, ((), ((0, 0, 0, False),)), 0, loads=True),
        Step("send", 1, ((),), 0, loads=True),
        Step("correct", 0, (((0, 0, 0, False),),), 0, loads=True),
        Step("send", 0, ((),), 0, loads=True),
    ]


def turned() -> list[Step]:
    """The later delivery first, and empty: loaded after the earlier one it would stop, before it there is nothing."""
    return [
        Step("send", 1, ((),), 0, loads=False),
        Step("send", 0, (((0, 0, 0, False),),), 0, loads=True),
    ]


@pytest.mark.parametrize("feed", FEEDS)
@example(steps=turned())
@example(steps=emptied())
@example(steps=shrunk())
@example(steps=overtaken(loads=False))
@example(steps=overtaken(loads=True))
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(STEP, min_size=2, max_size=9))
def test_any_sequence_ends_as_the_rules_say_and_as_it_is_built_anew(feed: str, steps: list[Step], scene: Scene) -> None:
    scene.clear()
    kind = FEEDS[feed]
    run = Run(scene, feed, kind, Model(kind, small_contracts.LEAST_SHARE, small_contracts.FROM_ROWS))
    with pytest.MonkeyPatch.context() as patch:
        point_at(patch, scene.dsn, scene.landing)
        for step in steps:
            run.take(step)
        run.load()
        point_at(patch, scene.anew, scene.landing)
        for _ in feed_run.rebuild():
            pass
    run.check(scene.anew)
    assert open_refusals(scene.anew) == open_refusals(scene.dsn)
