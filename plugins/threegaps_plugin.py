"""The Airflow plugin of ThreeGaps: it registers the timetable of deliveries and nothing more."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from threegaps.orchestration.timetable import DeliveryTimetable


class ThreeGapsPlugin(AirflowPlugin):
    """Makes the timetable known to the scheduler, which reads DAGs in their serialised form."""

    name = "threegaps"
    timetables = (DeliveryTimetable,)
