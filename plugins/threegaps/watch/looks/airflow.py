"""Airflow as a whole: whichever of its parts is dead or hangs, it is one incident."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from threegaps.ledger.incidents import Cause
from threegaps.standards.moments import clock
from threegaps.watch.readings import AirflowReading, ServiceReading

PARTS = {
    "api-server": ("接口服务", "API server"),
    "scheduler": ("调度器", "scheduler"),
    "dag-processor": ("DAG处理器", "DAG processor"),
    "triggerer": ("触发器", "triggerer"),
}
"""Its processes; a part's state in the API has an underscore where a service has a hyphen."""
_GRAVE = frozenset({"api-server", "scheduler"})
"""Without these no run goes on."""


def seen(airflow: AirflowReading | None, services: Sequence[ServiceReading] | None) -> list[Cause]:
    """One cause with every part that is down: the API does not answer, a part's heart does not beat, a process ended.

    Args:
        airflow: What its API says; None where it was not asked.
        services: What the supervisor says; None where there is none.
    """
    down: dict[str, tuple[str, str]] = {}
    if airflow is not None and not airflow.answers:
        down["api-server"] = (
            f"{airflow.seconds:.0f}秒内没有应答({airflow.address})",
            f"no answer within {airflow.seconds:.0f} s ({airflow.address})",
        )
    for part, state in airflow.parts.items() if airflow is not None else ():
        if state != "healthy":
            beat = _moment(airflow.beats.get(part)) if airflow is not None else None
            down[part.replace("_", "-")] = (
                f"心跳停止{f',最后一次{beat}' if beat else ''}",
                f"its heart does not beat{f', last at {beat}' if beat else ''}",
            )
    for service in services or ():
        if service.name in PARTS and service.state != "running":
            down.setdefault(
                service.name, ("进程已退出,等待重启", "its process has ended and waits to be started again")
            )
    if not down:
        return []
    ordered = [name for name in PARTS if name in down] + [name for name in down if name not in PARTS]
    labels = {name: PARTS.get(name, (name, name)) for name in ordered}
    return [
        Cause(
            kind="airflow_down",
            about="",
            gravity="critical" if _GRAVE & down.keys() else "warning",
            title_zh=f"调度系统(Airflow)异常:{'、'.join(labels[name][0] for name in ordered)}",
            title_en=f"Airflow is down: {', '.join(labels[name][1] for name in ordered)}",
            detail_zh="".join(f"{labels[name][0]}:{down[name][0]}。" for name in ordered),
            detail_en=" ".join(f"{_capital(labels[name][1])}: {down[name][1]}." for name in ordered),
        )
    ]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _moment(beat: str | None) -> str | None:
    """When a part beat last, by the province's clock; None where what Airflow says is no moment."""
    try:
        moment = dt.datetime.fromisoformat(beat or "")
    except ValueError:
        return None
    return clock(moment) if moment.tzinfo else None
