"""One timetable for every cadence: a run belongs to a delivery, the cron says on which day it is due."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, cast

from airflow._shared.timezones.timezone import coerce_datetime, utcnow
from airflow.exceptions import AirflowTimetableInvalid, InvalidPartitionKeyError
from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction
from airflow.timetables.trigger import CronTriggerTimetable
from airflow.utils.strings import get_random_string
from airflow.utils.types import DagRunType
from pendulum import DateTime

from threegaps.calendar import CADENCES, Cadence, Delivery
from threegaps.errors import SettingsError
from threegaps.settings import SHANGHAI


class DeliveryTimetable(CronTriggerTimetable):
    """Runs whose partition key is a delivery: `2026-06-03`, `2026-06`, `2026Q2`, `2025-2026-1` or `2026`.

    A tick of the cron is the moment at which the delivery that ended last before it is due. Scheduled, manual and
    backfilled runs of a delivery carry the same key and the same partition date (the delivery's first day).

    Args:
        cadence: How often the department delivers: day, month, quarter, term or year.
        cron: When a delivery is due, in Asia/Shanghai.
        last_delivery: Key of the last delivery that is scheduled, where no more will come; later ones can still be
            asked for by hand.
    """

    partitioned = True
    run_ordering = ("partition_date", "run_after")

    def __init__(self, cadence: Cadence, cron: str, *, last_delivery: str | None = None) -> None:
        # No run for a tick that passed before the DAG was there, however shortly.
        super().__init__(cron, timezone=str(SHANGHAI), run_immediately=dt.timedelta(0))
        self.cadence = cadence
        self.last_delivery = last_delivery

    def serialize(self) -> dict[str, Any]:
        return {"cadence": self.cadence, "cron": self._expression, "last_delivery": self.last_delivery}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> DeliveryTimetable:
        return cls(data["cadence"], data["cron"], last_delivery=data["last_delivery"])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DeliveryTimetable) and self.serialize() == other.serialize()

    def __hash__(self) -> int:
        return hash(tuple(self.serialize().values()))

    @property
    def summary(self) -> str:
        return f"{self.cadence} · {self._expression}"

    def validate(self) -> None:
        """Refuse a cadence, cron or last delivery that makes no sense when the DAG is read."""
        super().validate()
        if self.cadence not in CADENCES:
            raise AirflowTimetableInvalid(f"{self.cadence!r} is no cadence; there are {', '.join(CADENCES)}.")
        if self.last_delivery is not None:
            try:
                Delivery.parse(self.cadence, self.last_delivery)
            except SettingsError as error:
                raise AirflowTimetableInvalid(str(error)) from None

    def delivery_due(self, tick: dt.datetime) -> Delivery:
        """The delivery that is due at *tick*: the last one that has ended before."""
        return Delivery.containing(self.cadence, tick.astimezone(SHANGHAI).date()).previous()

    def newest_due(self, instant: dt.datetime) -> Delivery:
        """The newest delivery that is due at *instant*, not after the last one that is scheduled."""
        due = self.delivery_due(self._align_to_prev(coerce_datetime(instant)))
        last = Delivery.parse(self.cadence, self.last_delivery) if self.last_delivery else due
        return min(due, last)

    def next_dagrun_info_v2(
        self, *, last_dagrun_info: DagRunInfo | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """The next tick and its delivery; None when the last delivery is past."""
        now = coerce_datetime(utcnow())
        after_last = self._get_next(last_dagrun_info.run_after) if last_dagrun_info else None
        earliest = self._align_to_next(restriction.earliest) if restriction.earliest else None
        if restriction.catchup:
            tick = after_last or earliest or self._calc_first_run()
        else:
            # A feed catches up in one run: of the ticks that were missed only the latest counts.
            candidates = [after_last, earliest]
            candidates.append(self._align_to_prev(now) if after_last or earliest else self._calc_first_run())
            tick = max(candidate for candidate in candidates if candidate is not None)
        if restriction.latest is not None and tick > restriction.latest:
            return None
        return self._run_info(self.delivery_due(tick), run_after=tick)

    def iter_partition_dagrun_infos(self, *, earliest: dt.datetime, latest: dt.datetime) -> Iterable[DagRunInfo]:
        """One run for each delivery whose first day lies between the two, both included; for backfills.

        The two come as instants: someone in Shanghai who asks for 3 June asks for 2 June 16:00 in UTC, and who asks in
        UTC for its midnight. Both are 3 June on the province's calendar.
        """
        first, last = _day_of(earliest), _day_of(latest)
        delivery = Delivery.containing(self.cadence, first)
        while delivery.start <= last:
            if delivery.start >= first:
                due = self._align_to_next(_first_moment(delivery.next()))
                info = self._run_info(delivery, run_after=due)
                if info is not None:
                    yield info
            delivery = delivery.next()

    def localize_partition_datetime(self, dt: dt.datetime) -> DateTime:
        """The first moment of the province's day that an instant lies in; for bounds of what is cleared."""
        return _moment(_day_of(dt))

    def infer_manual_data_interval(self, *, run_after: DateTime) -> DataInterval:
        return DataInterval.exact(run_after)

    def generate_run_id(
        self, *, run_type: DagRunType, run_after: DateTime, data_interval: DataInterval | None, **extra: Any
    ) -> str:
        """The run's name: when it is due, and of which delivery where that is known."""
        parts = [run_after.isoformat(), extra.get("partition_key"), get_random_string()]
        return cast("str", run_type.generate_run_id(suffix="__".join(part for part in parts if part)))

    def _decode_partition_date(self, partition_key: str) -> dt.datetime:
        """First moment of the delivery; a key that is none of this cadence is refused when the run is asked for."""
        try:
            return _first_moment(Delivery.parse(self.cadence, partition_key))
        except SettingsError as error:
            raise InvalidPartitionKeyError(str(error)) from None

    def _run_info(self, delivery: Delivery, *, run_after: DateTime) -> DagRunInfo | None:
        if self.last_delivery and delivery.start > Delivery.parse(self.cadence, self.last_delivery).start:
            return None
        return DagRunInfo(
            run_after=run_after,
            data_interval=None,
            partition_date=_first_moment(delivery),
            partition_key=delivery.key,
        )


def _day_of(instant: dt.datetime) -> dt.date:
    """The province's day at an instant; one without a time zone is UTC's, as everywhere in Airflow."""
    return (instant if instant.tzinfo else instant.replace(tzinfo=dt.UTC)).astimezone(SHANGHAI).date()


def _first_moment(delivery: Delivery) -> DateTime:
    return _moment(delivery.start)


def _moment(day: dt.date) -> DateTime:
    moment: DateTime = coerce_datetime(dt.datetime(day.year, day.month, day.day, tzinfo=SHANGHAI))
    return moment
