"""``status.html`` and ``status.json``: what the last pass saw, as files that any web server can show.

Each is whole or the one before: written beside and put in place at once. The page needs no other host and works without
a script; the script that it has only says when the page has grown old, which a dead watch could not say itself.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from threegaps.labels import FEED_STATES, INCIDENT_GRAVITIES, both
from threegaps.ledger.expected import QUIET_STATES
from threegaps.settings import SHANGHAI
from threegaps.standards.moments import clock
from threegaps.standards.visible import for_html as escape
from threegaps.watch import runbook
from threegaps.watch.files import write_whole
from threegaps.watch.heartbeat import STALE_AFTER
from threegaps.watch.snapshot import FeedSeen, IncidentSeen, Snapshot, state_of_all

PAGE_NAME = "status.html"
DATA_NAME = "status.json"
STALE_AFTER_SECONDS = int(STALE_AFTER.total_seconds())
"""A page that is older than that, and older than four passes, says that the watch has stopped."""
_BAD_STATES = frozenset({"stopped", "failing", "unreachable"})


def write_pages(snapshot: Snapshot, folder: Path, docs: Path | None = None) -> None:
    """Write both files of *snapshot* into *folder*, and the runbook's pages beside them where they lack.

    Args:
        docs: The folder of the runbook; where it is not there incidents name its section and do not link to it.

    Raises:
        OSError: They cannot be written; what was there stays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    has_runbook = False
    with contextlib.suppress(OSError):
        has_runbook = docs is not None and runbook.write_runbook(docs, folder)
    write_whole(
        folder / DATA_NAME,
        json.dumps(as_data(snapshot), ensure_ascii=False, indent=1) + "\n",
        mode=0o644,
        is_kept=False,
    )
    write_whole(folder / PAGE_NAME, page(snapshot, has_runbook=has_runbook), mode=0o644, is_kept=False)


def as_data(snapshot: Snapshot) -> dict[str, Any]:
    """*snapshot* as JSON can say it, with the gravest state of each feed and the state of all."""
    data: dict[str, Any] = _plain(asdict(snapshot))
    if snapshot.feeds is not None:
        data["feeds"] = _plain([feed.as_data() for feed in snapshot.feeds])
    return {
        "version": 1,
        "state": state_of(snapshot),
        "stale_after_seconds": stale_after_seconds(snapshot),
        **data,
    }


def state_of(snapshot: Snapshot) -> str:
    """How all stands; see `threegaps.watch.snapshot.state_of_all`."""
    cannot_tell = any(not look.could_look for look in snapshot.looks) or snapshot.feeds is None
    gravities = [incident.gravity for incident in snapshot.incidents]
    return state_of_all(gravities, snapshot.feeds or (), has_problems=cannot_tell)


def stale_after_seconds(snapshot: Snapshot) -> float:
    """The age from which the files of *snapshot* are no longer to be believed."""
    return max(STALE_AFTER_SECONDS, 4 * snapshot.interval_seconds)


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.astimezone(SHANGHAI).isoformat(timespec="seconds")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value


# --- the page

_STYLE = """
:root{color-scheme:light dark;--back:#f6f7f9;--card:#fff;--text:#1b1f24;--soft:#59636e;--line:#d9dee4;
--red:#b3261e;--amber:#8a5a00;--green:#1a6b37;--redback:#fdecea;--amberback:#fff4dc;--greenback:#e6f4ea}
@media(prefers-color-scheme:dark){:root{--back:#101418;--card:#181d23;--text:#e6eaee;--soft:#9aa5b1;--line:#2c343d;
--red:#ff8a80;--amber:#ffc766;--green:#7bd88f;--redback:#3a1c1a;--amberback:#35290f;--greenback:#15301d}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--text);
font:15px/1.5 system-ui,-apple-system,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif}
main{max-width:1100px;margin:0 auto;padding:16px}
h1{font-size:20px;margin:0}h2{font-size:16px;margin:24px 0 8px}
.soft{color:var(--soft);font-size:13px}
.band{border-radius:8px;padding:12px 16px;margin:12px 0;border:1px solid var(--line);background:var(--card)}
.band.critical{background:var(--redback);border-color:var(--red)}
.band.warning{background:var(--amberback);border-color:var(--amber)}
.band.fine{background:var(--greenback);border-color:var(--green)}
.band b.head{font-size:18px}
.critical>.tag,.bad{color:var(--red)}.warning>.tag,.warn{color:var(--amber)}.good{color:var(--green)}
.tag{font-weight:600;white-space:nowrap}
#stale{display:none}
article{border:1px solid var(--line);border-left-width:5px;border-radius:8px;background:var(--card);
padding:10px 14px;margin:8px 0}
article.critical{border-left-color:var(--red)}article.warning{border-left-color:var(--amber)}
article p{margin:4px 0;overflow-wrap:anywhere}
code{font:13px ui-monospace,Consolas,monospace;background:var(--back);padding:1px 5px;border-radius:4px;
overflow-wrap:anywhere}
table{width:100%;border-collapse:collapse;background:var(--card);border:1px solid var(--line);border-radius:8px}
th,td{text-align:left;padding:6px 10px;border-top:1px solid var(--line);vertical-align:top}
th{font-weight:600;font-size:13px;color:var(--soft);border-top:0}
td.number{text-align:right;font-variant-numeric:tabular-nums}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(200px,1fr));gap:8px;margin:0}
dl div{border:1px solid var(--line);border-radius:8px;background:var(--card);padding:8px 12px}
dt{color:var(--soft);font-size:13px}dd{margin:0;font-size:16px}
@media(max-width:680px){thead{display:none}table,tbody,tr,td{display:block;width:100%}
tr{border-top:1px solid var(--line);padding:6px 0}tr:first-child{border-top:0}
td,td.number{border:0;padding:1px 12px;text-align:left}
td[data-head]:before{content:attr(data-head) " ";color:var(--soft);font-size:13px}
td:empty{display:none}}
.key{white-space:nowrap}
"""
# Says that the page is old; without it the time stands there all the same.
_SCRIPT = """
(function(){var at=Number(document.body.dataset.at),most=Number(document.body.dataset.most);
function look(){var old=Date.now()/1000-at;
document.getElementById("stale").style.display=old>most?"block":"none";
document.querySelectorAll(".old").forEach(function(one){one.textContent=Math.floor(old/60)})}
look();setInterval(look,5000)})();
"""


def page(snapshot: Snapshot, *, has_runbook: bool = False) -> str:
    """The page of *snapshot*; incidents link to the runbook where its pages lie beside it."""
    state = state_of(snapshot)
    parts = [
        _head(snapshot),
        '<div class="band critical" id="stale" role="alert"><b class="head">'
        "值守程序已停止写入,本页内容已过时 · The watch has stopped: this page is out of date</b>"
        '<div>本页写于 <span class="old"></span> 分钟前,请运行 <code>threegaps status</code>。'
        ' · Written <span class="old"></span> minutes ago: run <code>threegaps status</code>.</div></div>',
        _summary(snapshot, state),
        *_notes(snapshot),
        _incidents(snapshot.incidents, has_runbook),
        _feeds(snapshot),
        _rest(snapshot),
    ]
    return (
        '<!doctype html>\n<html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta http-equiv="refresh" content="60">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\';'
        " style-src 'unsafe-inline'; script-src 'unsafe-inline'\">"
        f"<title>{_TITLES[state]} · ThreeGaps</title><style>{_STYLE}</style></head>"
        f'<body data-at="{snapshot.taken_at.timestamp():.0f}" data-most="{stale_after_seconds(snapshot):.0f}">'
        f"<main>{''.join(parts)}</main><script>{_SCRIPT}</script></body></html>\n"
    )


_TITLES: Mapping[str, str] = {
    "critical": "严重 critical",
    "warning": "需要关注 warning",
    "fine": "正常 fine",
}


def _head(seen: Snapshot) -> str:
    return (
        "<header><h1>ThreeGaps 值守状态 · status</h1>"
        f'<div class="soft">写于 written at {clock(seen.taken_at)};每 every '
        f"{seen.interval_seconds:.0f} 秒 s;早于 {stale_after_seconds(seen) / 60:.0f} 分钟即已过时 · "
        f"older than that many minutes: out of date; <a href={DATA_NAME!r}>JSON</a></div></header>"
    )


def _summary(seen: Snapshot, state: str) -> str:
    critical = sum(incident.gravity == "critical" for incident in seen.incidents)
    warning = len(seen.incidents) - critical
    counts = (
        f"{critical} 项严重 critical,{warning} 项警告 warning"
        if seen.incidents
        else "没有未解除的事件 · no open incident"
    )
    if seen.feeds:
        quiet = sum(feed.is_quiet for feed in seen.feeds)
        counts += f";数据源 feeds: {quiet}/{len(seen.feeds)} 无异常 in order"
    return f'<div class="band {state}"><b class="head">{_TITLES[state]}</b><div>{counts}</div></div>'


def _notes(seen: Snapshot) -> Iterable[str]:
    if seen.is_synthetic:
        yield (
            '<div class="band warning">合成数据:各部门为沙箱模拟,与任何真实人员、单位无关。 · '
            "Synthetic data: the departments are the sandbox's; nobody in it exists.</div>"
        )
    if seen.alerts_en or seen.alerts_zh:
        yield f'<div class="band warning">{_pair(seen.alerts_zh, seen.alerts_en)}</div>'
    for look in seen.looks:
        if not look.could_look:
            yield (
                f'<div class="band warning">没能查看 could not look at <code>{escape(look.name)}</code>: '
                f"{_pair(look.reason_zh, look.reason_en)}</div>"
            )


def _incidents(incidents: Iterable[IncidentSeen], has_runbook: bool) -> str:
    ordered = sorted(incidents, key=lambda one: (one.gravity != "critical", one.opened_at))
    if not ordered:
        return ""
    return "<h2>未解除的事件 · Open incidents</h2>" + "".join(_incident(one, has_runbook) for one in ordered)


def _incident(one: IncidentSeen, has_runbook: bool) -> str:
    gravity = one.gravity if one.gravity in INCIDENT_GRAVITIES else "warning"
    number = "" if one.incident_id is None else f" #{one.incident_id}"
    lines = [
        f'<span class="tag">{escape(both(INCIDENT_GRAVITIES, gravity))}{number}</span>',
        f"<p><b>{_pair(one.title_zh, one.title_en)}</b></p>",
    ]
    if one.detail_zh or one.detail_en:
        lines.append(f"<p>{escape(one.detail_zh)}</p><p>{escape(one.detail_en)}</p>")
    if one.indicator_codes:
        lines.append(
            f"<p>影响指标 holds up {len(one.indicator_codes)}: {escape(_listed(one.indicator_codes))}"
            f" ({escape(', '.join(one.marts))})</p>"
        )
    whose = " · ".join(
        part
        for part in (
            f"始于 since {clock(one.opened_at)}",
            f"已知悉 acknowledged: {escape(one.acknowledged_by)}" if one.acknowledged_by else "",
            f"已指派 assigned to: {escape(one.assigned_to)}" if one.assigned_to else "",
        )
        if part
    )
    lines.append(f'<p class="soft">{whose}</p>')
    to_do = _to_runbook(one.runbook) if has_runbook else f"<code>{escape(one.runbook)}</code>"
    steps = [f"怎么办 what to do: {to_do}"] if one.runbook else []
    steps += [f"<code>{escape(one.command)}</code>"] if one.command else []
    if steps:
        lines.append(f"<p>{' · '.join(steps)}</p>")
    return f'<article class="{gravity}">{"".join(lines)}</article>'


def _to_runbook(section: str) -> str:
    """A link to a section of the runbook as it lies beside the page, in Chinese and in English."""
    anchor = escape(section.partition("#")[2])
    return " · ".join(
        f'<a href="{runbook.page_name(is_zh=is_zh)}#{anchor}">{said}</a>'
        for is_zh, said in ((True, "值班手册"), (False, "runbook"))
    )


def _listed(codes: tuple[str, ...], most: int = 12) -> str:
    return ", ".join(codes[:most]) + (f" … +{len(codes) - most}" if len(codes) > most else "")


_COLUMNS: tuple[tuple[str, bool, Callable[[FeedSeen], str]], ...] = (
    (
        "数据源 feed",
        False,
        lambda feed: f'<b>{_pair(feed.title_zh, feed.title_en)}</b><br><span class="soft">{escape(feed.feed)}</span>',
    ),
    ("状态 state", False, lambda feed: _states(feed)),
    ("最新一期 newest", False, lambda feed: _key(feed.newest_delivery)),
    ("应报 due", False, lambda feed: _due(feed)),
    ("收到行数 received", True, lambda feed: "" if feed.received_rows is None else f"{feed.received_rows:,}"),
    ("拒收 refused", True, lambda feed: "" if feed.refused_share is None else f"{feed.refused_share:.2%}"),
    ("待修正行 to repair", True, lambda feed: f"{feed.open_refusals:,}" if feed.open_refusals else ""),
    ("载入 loaded", False, lambda feed: "" if feed.newest_loaded_at is None else clock(feed.newest_loaded_at)),
)


def _feeds(seen: Snapshot) -> str:
    title = "<h2>数据源 · Feeds</h2>"
    if seen.feeds is None:
        return f'{title}<div class="band warning">台账读不到,无法判断 · The ledger cannot be read: cannot tell.</div>'
    order = list(FEED_STATES)
    rows = sorted(seen.feeds, key=lambda feed: (order.index(feed.state), feed.feed))
    heads = "".join(f"<th>{escape(head)}</th>" for head, _, _ in _COLUMNS)
    lines = []
    for feed in rows:
        cells = [
            f"<td{' class=number' if is_number else ''}{_data_head(head) if number else ''}>{write(feed)}</td>"
            for number, (head, is_number, write) in enumerate(_COLUMNS)
        ]
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return f"{title}<table><thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _data_head(head: str) -> str:
    return f' data-head="{escape(head)}"'


def _states(feed: FeedSeen) -> str:
    said = []
    for state in sorted(feed.states, key=list(FEED_STATES).index):
        grade = "bad" if state in _BAD_STATES else "good" if state in QUIET_STATES else "warn"
        said.append(f'<span class="tag {grade}">{escape(both(FEED_STATES, state))}</span>')
    words = _pair(feed.last_words_zh, feed.last_words_en)
    return "<br>".join(said) + (f'<br><span class="soft">{words}</span>' if words else "")


def _key(delivery: str | None) -> str:
    return "" if delivery is None else f'<span class="key">{escape(delivery)}</span>'


def _due(feed: FeedSeen) -> str:
    """The oldest delivery that is late, with its own due day; where none is, the newest that is due."""
    delivery, day = (
        (feed.late_delivery, feed.late_since) if feed.late_delivery is not None else (feed.due_delivery, feed.due_on)
    )
    if delivery is None:
        return ""
    said = [_key(delivery) + ("" if day is None else f' <span class="soft key">{day.isoformat()}</span>')]
    if feed.deliveries_late:
        said.append(f'<span class="warn key">迟 {feed.days_late} 天 days late</span>')
    if feed.deliveries_late > 1:
        said.append(f'<span class="warn key">共 {feed.deliveries_late} 期 deliveries late</span>')
    if feed.counties_missing:
        said.append(f'<span class="warn">缺 {feed.counties_missing} 个县 counties missing</span>')
    return "<br>".join(said)


def _rest(seen: Snapshot) -> str:
    unknown = "无法判断 cannot tell"
    queue, release, outbox = seen.queue, seen.release, seen.outbox
    facts = [
        (
            "正在使用的发布 release",
            "还没有 none yet"
            if release is None and seen.feeds is not None
            else unknown
            if release is None
            else f"{release.release_id} · {clock(release.released_at)}",
        ),
        (
            "待构建批次 waiting for a build",
            unknown
            if queue is None
            else f"{queue.pending_batches:,}"
            + (f" · 最早 oldest {clock(queue.oldest_since)}" if queue.oldest_since is not None else ""),
        ),
        (
            "待发消息 messages waiting",
            unknown if outbox is None else f"{outbox.waiting:,}",
        ),
        (
            "放弃的消息 given up (7 天 days)",
            unknown if outbox is None else f"{outbox.given_up:,}",
        ),
        ("本次用时 pass", f"{seen.pass_seconds:.1f} s"),
    ]
    facts += [
        (
            f"渠道 channel {channel.name} ({channel.kind})",
            _pair(channel.words_zh, channel.words_en) or "正常 fine",
        )
        for channel in seen.channels
    ]
    written = "".join(f"<div><dt>{escape(name)}</dt><dd>{value}</dd></div>" for name, value in facts)
    return f"<h2>其他 · The rest</h2><dl>{written}</dl>"


def _pair(zh: str, en: str) -> str:
    return " · ".join(escape(part) for part in dict.fromkeys((zh, en)) if part)
