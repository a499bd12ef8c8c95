"""The Airflow plugin of ThreeGaps: the timetable of deliveries, and the duty page."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from threegaps.duty.mounting import applications, external_views
from threegaps.orchestration.timetable import DeliveryTimetable


class ThreeGapsPlugin(AirflowPlugin):
    """Makes the timetable known to the scheduler, which reads serialised DAGs, and the page to its server."""

    name = "threegaps"
    timetables = (DeliveryTimetable,)
    fastapi_apps = applications()
    external_views = external_views()
