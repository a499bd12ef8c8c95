"""The machine below: PostgreSQL, disks, and the stand-in departments of the sandbox."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from threegaps.ledger.incidents import Cause
from threegaps.translations import in_both
from threegaps.watch.looks.wording import size
from threegaps.watch.readings import DiskReading, ServerReading, WarehouseReading

_NAMES = {
    "home": ("运行目录", "runtime home"),
    "landing": ("到达区", "landing"),
    "postgres": ("数据库", "database"),
}
_CRITICAL_PART = 3
"""What is left is critical below this part of what is asked to be free."""
_RIGHT_TOLD_AFTER = dt.timedelta(seconds=90)
_TOLD_AFTER = dt.timedelta(minutes=10)
"""So long a ledger may be slow, locked or being migrated before people are told."""
_MAY_PASS = frozenset({"slow", "locked"})
_TO_DO = {
    "right": ("请授回所缺权限。", "Grant what is missing again."),
    "missing": ("迁移之后仍缺的,须从备份恢复。", "What lacks after that, too, comes back from a backup."),
    "locked": ("请结束占用锁的会话。", "End the session that keeps the lock."),
    "slow": ("请查看机器负载和数据库的长查询。", "Look at the load of the machine, and for long queries."),
    "other": ("请查看 PostgreSQL 的日志。", "Look into PostgreSQL's log."),
}
_FULL_PERCENT = 2.0
"""A disk is filling up, however large it is, when less than this is free."""


def warehouse(reading: WarehouseReading | None) -> list[Cause]:
    """Whether the warehouse is down; what it says is in our words."""
    if reading is None or reading.answers:
        return []
    said_zh, said_en = in_both(reading.said)
    return [
        Cause(
            kind="warehouse_down",
            about="",
            gravity="critical",
            title_zh="数据仓库没有应答",
            title_en="the warehouse does not answer",
            detail_zh=f"{reading.address}:{said_zh}。",
            detail_en=f"{reading.address}: {said_en}.",
        )
    ]


def ledger(reading: WarehouseReading | None) -> list[Cause]:
    """Whether the ledger of a warehouse that answers cannot be read: nobody sees feeds, batches and builds then."""
    if reading is None or reading.unread is None:
        return []
    unread = reading.unread
    said_zh, said_en = in_both(unread.said)
    by = unread.question
    asked_zh, asked_en = (f"(询问:{by})", f" (asked by {by})") if by else ("", "")
    return [
        Cause(
            kind="ledger_unreadable",
            about="",
            gravity="warning" if unread.why in _MAY_PASS else "critical",
            title_zh=f"台账读不到:{said_zh}",
            title_en=f"the ledger cannot be read: {said_en}",
            detail_zh=f"{reading.address}有应答{asked_zh};其间看不到数据源、批次和构建。{_TO_DO[unread.why][0]}",
            detail_en=f"{reading.address} answers{asked_en}; meanwhile nobody sees feeds, batches and builds."
            f" {_TO_DO[unread.why][1]}",
            occasions=(unread.why,),
            # A right does not come back by itself; all else does so, at times.
            told_after=_RIGHT_TOLD_AFTER if unread.why == "right" else _TOLD_AFTER,
        )
    ]


def disks(readings: Sequence[DiskReading] | None) -> list[Cause]:
    """One cause for each file system that is filling up."""
    causes = []
    for disk in readings or ():
        percent = 100 * disk.free_bytes / disk.total_bytes if disk.total_bytes else 0.0
        if disk.free_bytes >= disk.least_free_bytes and percent >= _FULL_PERCENT:
            continue
        is_critical = (
            disk.free_bytes * _CRITICAL_PART < disk.least_free_bytes or percent * _CRITICAL_PART < _FULL_PERCENT
        )
        names_zh = "、".join(_NAMES[name][0] for name in disk.names)
        names_en = ", ".join(_NAMES[name][1] for name in disk.names)
        causes.append(
            Cause(
                kind="disk_filling",
                about=disk.names[0],
                gravity="critical" if is_critical else "warning",
                title_zh=f"磁盘空间不足:{names_zh}只剩{size(disk.free_bytes)}",
                title_en=f"the disk of {names_en} is filling up: {size(disk.free_bytes)} left",
                detail_zh=f"{disk.path}:共{size(disk.total_bytes)},余{percent:.1f}%;应至少留{size(disk.least_free_bytes)}。",
                detail_en=f"{disk.path}: {percent:.1f} % of {size(disk.total_bytes)} is free;"
                f" at least {size(disk.least_free_bytes)} is asked for.",
            )
        )
    return causes


def sandbox(servers: Sequence[ServerReading] | None) -> list[Cause]:
    """The sandbox's departments as one connection: its servers are one process."""
    silent = [server for server in servers or () if not server.answers]
    if not silent:
        return []
    listed = ", ".join(f"{server.name} {server.address}" for server in silent)
    return [
        Cause(
            kind="feed_unreachable",
            about="sandbox",
            gravity="warning",
            title_zh=f"模拟部门没有应答:{'、'.join(server.name for server in silent)}",
            title_en=f"the sandbox's departments do not answer: {', '.join(server.name for server in silent)}",
            detail_zh=f"{listed}。",
            detail_en=f"{listed}.",
        )
    ]
