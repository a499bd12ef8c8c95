"""``status.html`` (Chinese), ``status.en.html`` and ``status.json``: what the last pass saw, as files for a web server.

Each is whole or the one before: written beside and put in place at once. A page needs no other host and works without
a script; the script that it has only says whether the page has grown old, which a dead watch could not say itself:
nothing is green before the script has seen that the page is fresh.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from threegaps.labels import FEED_STATES, INCIDENT_GRAVITIES
from threegaps.ledger.expected import tone_of
from threegaps.settings import SHANGHAI
from threegaps.standards.moments import clock
from threegaps.standards.visible import for_html as escape
from threegaps.watch import runbook
from threegaps.watch.files import write_whole
from threegaps.watch.heartbeat import STALE_AFTER
from threegaps.watch.snapshot import FeedSeen, IncidentSeen, Snapshot, state_of_all

Language = Literal["zh", "en"]
PAGE_NAMES: Mapping[Language, str] = {"zh": "status.html", "en": "status.en.html"}
DATA_NAME = "status.json"
STALE_AFTER_SECONDS = int(STALE_AFTER.total_seconds())
"""A page that is older than that, and older than four passes, says that the watch has stopped."""


def write_pages(snapshot: Snapshot, folder: Path, docs: Path | None = None) -> None:
    """Write the files of *snapshot* into *folder*, and the runbook's pages beside them where they lack.

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
    for language, name in PAGE_NAMES.items():
        write_whole(folder / name, page(snapshot, language, has_runbook=has_runbook), mode=0o644, is_kept=False)


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
h1{font-size:20px;margin:0}h2{font-size:16px;margin:20px 0 8px}
.soft{color:var(--soft);font-size:13px}
.band{border-radius:8px;padding:10px 16px;margin:10px 0;border:1px solid var(--line);background:var(--card)}
.band.critical{background:var(--redback);border-color:var(--red)}
.band.warning{background:var(--amberback);border-color:var(--amber)}
.fresh .band.fine{background:var(--greenback);border-color:var(--green)}
.band b.head{font-size:18px}
.critical>.tag,.bad{color:var(--red)}.warning>.tag,.warn{color:var(--amber)}.fresh .good{color:var(--green)}
.tag{font-weight:600;white-space:nowrap}
#stale{display:none}.stale #stale{display:block}.stale .band.fine{display:none}
article{border:1px solid var(--line);border-left-width:5px;border-radius:8px;background:var(--card);
padding:8px 14px;margin:8px 0}
article.critical{border-left-color:var(--red)}article.warning{border-left-color:var(--amber)}
article p{margin:3px 0;overflow-wrap:anywhere}
code{font:13px ui-monospace,Consolas,monospace;background:var(--back);padding:1px 5px;border-radius:4px;
white-space:nowrap}
article p code{white-space:normal;overflow-wrap:anywhere}
table{width:100%;border-collapse:collapse;background:var(--card);border:1px solid var(--line);border-radius:8px}
th,td{text-align:left;padding:5px 10px;border-top:1px solid var(--line);vertical-align:top;overflow-wrap:break-word}
th{font-weight:600;font-size:13px;color:var(--soft);border-top:0}
td.number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
details{margin:12px 0}summary{cursor:pointer;font-weight:600;padding:6px 0}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(200px,1fr));gap:8px;margin:0}
dl div{border:1px solid var(--line);border-radius:8px;background:var(--card);padding:6px 12px;overflow-wrap:anywhere}
dt{color:var(--soft);font-size:13px}dd{margin:0}
@media(max-width:680px){main{padding:12px}thead{display:none}table,tbody,tr,td{display:block;width:100%}
tr{border-top:1px solid var(--line);padding:6px 0}tr:first-child{border-top:0}
td,td.number{border:0;padding:1px 12px;text-align:left}
td[data-head]:before{content:attr(data-head) " ";color:var(--soft);font-size:13px}
td:empty{display:none}}
.key{white-space:nowrap}
"""
# Says that the page is old or from the future, or that it is fresh; without it the time stands there all the same.
_SCRIPT = """
(function(){var at=Number(document.body.dataset.at),most=Number(document.body.dataset.most);
function look(){var old=Date.now()/1000-at,is=Math.abs(old)>most,to=document.body.classList;
to.toggle("stale",is);to.toggle("fresh",!is);
if(is)document.title=document.querySelector("#stale b").textContent;
document.querySelectorAll(".old").forEach(function(one){one.textContent=Math.floor(Math.abs(old)/60)})}
look();setInterval(look,5000)})();
"""


def page(snapshot: Snapshot, language: Language = "zh", *, has_runbook: bool = False) -> str:
    """The page of *snapshot*: what is wrong first, then feeds that do not stand well, the rest folded.

    Args:
        has_runbook: The runbook's pages lie beside it: incidents link to them.
    """
    state, said = state_of(snapshot), _Words(language)
    parts = [
        _head(snapshot, said),
        '<div class="band critical" id="stale" role="alert"><b class="head">',
        said("值守程序已停止写入,本页内容已过时", "The watch has stopped: this page is out of date"),
        "</b><div>",
        said(
            '写入时间与本机时钟相差 <span class="old"></span> 分钟。请运行',
            'Its time and that of the clock here are <span class="old"></span> minutes apart. Run',
        ),
        " <code>threegaps status</code></div></div>",
        _summary(snapshot, state, said),
        *_notes(snapshot, said),
        _incidents(snapshot.incidents, said, has_runbook=has_runbook),
        _feeds(snapshot, said),
        _rest(snapshot, said),
    ]
    return (
        f'<!doctype html>\n<html lang="{said("zh-CN", "en")}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta http-equiv="refresh" content="60">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\';'
        " style-src 'unsafe-inline'; script-src 'unsafe-inline'\">"
        f"<title>{said(*_TITLES[state])} · ThreeGaps</title><style>{_STYLE}</style></head>"
        f'<body data-at="{snapshot.taken_at.timestamp():.0f}" data-most="{stale_after_seconds(snapshot):.0f}">'
        f"<main>{''.join(parts)}</main><script>{_SCRIPT}</script></body></html>\n"
    )


class _Words:
    """What is said in one language; what is not there in it is said in the other."""

    def __init__(self, language: Language) -> None:
        self.is_zh = language == "zh"

    def __call__(self, zh: str, en: str) -> str:
        return (zh or en) if self.is_zh else (en or zh)

    def safe(self, zh: str, en: str) -> str:
        """The same for texts that are not written here."""
        return escape(self(zh, en))


_TITLES: Mapping[str, tuple[str, str]] = {
    "critical": ("严重", "critical"),
    "warning": ("需要关注", "warning"),
    "fine": ("正常", "fine"),
}


def _head(seen: Snapshot, said: _Words) -> str:
    minutes = f"{stale_after_seconds(seen) / 60:.0f}"
    other = (
        f'<a href="{PAGE_NAMES["en"]}" lang="en">English</a>'
        if said.is_zh
        else f'<a href="{PAGE_NAMES["zh"]}" lang="zh-CN">中文</a>'
    )
    written = said(
        f"写于 {clock(seen.taken_at)},每 {seen.interval_seconds:.0f} 秒更新;超过 {minutes} 分钟即已过时",
        f"written at {clock(seen.taken_at)}, every {seen.interval_seconds:.0f} s; out of date after {minutes} minutes",
    )
    synthetic = (
        said(
            "合成数据:各部门为沙箱模拟,与任何真实人员、单位无关。",
            "Synthetic data: the departments are the sandbox's; nobody in it exists.",
        )
        if seen.is_synthetic
        else ""
    )
    return (
        f"<header><h1>ThreeGaps {said('值守状态', 'status')}</h1>"
        f'<div class="soft">{written} · {other} · <a href="{DATA_NAME}">JSON</a></div>'
        f'{f"""<div class="warn">{synthetic}</div>""" if synthetic else ""}</header>'
    )


def _summary(seen: Snapshot, state: str, said: _Words) -> str:
    critical = sum(incident.gravity == "critical" for incident in seen.incidents)
    warning = len(seen.incidents) - critical
    counts = (
        said(f"{critical} 项严重,{warning} 项警告", f"critical: {critical}, warnings: {warning}")
        if seen.incidents
        else said("没有未解除的事件", "no open incident")
    )
    if seen.feeds:
        quiet, all_ = sum(feed.is_quiet for feed in seen.feeds), len(seen.feeds)
        counts += said(f";{all_} 个数据源中 {quiet} 个无异常", f"; {quiet} of {all_} feeds in order")
    return f'<div class="band {state}"><b class="head">{said(*_TITLES[state])}</b><div>{counts}</div></div>'


def _notes(seen: Snapshot, said: _Words) -> Iterable[str]:
    if seen.alerts_en or seen.alerts_zh:
        yield f'<div class="band warning">{said.safe(seen.alerts_zh, seen.alerts_en)}</div>'
    for look in seen.looks:
        if not look.could_look:
            yield (
                f'<div class="band warning">{said("没能查看", "could not look at")} <code>{escape(look.name)}</code>'
                f"{said(':', ': ')}{said.safe(look.reason_zh, look.reason_en)}</div>"
            )


def _incidents(incidents: Iterable[IncidentSeen], said: _Words, *, has_runbook: bool) -> str:
    ordered = sorted(incidents, key=lambda one: (one.gravity != "critical", one.opened_at))
    if not ordered:
        return ""
    return f"<h2>{said('未解除的事件', 'Open incidents')}</h2>" + "".join(
        _incident(one, said, has_runbook=has_runbook) for one in ordered
    )


def _incident(one: IncidentSeen, said: _Words, *, has_runbook: bool) -> str:
    gravity = one.gravity if one.gravity in INCIDENT_GRAVITIES else "warning"
    number = "" if one.incident_id is None else f" #{one.incident_id}"
    lines = [
        f'<span class="tag">{said.safe(*INCIDENT_GRAVITIES[gravity])}{number}</span>',
        f"<p><b>{said.safe(one.title_zh, one.title_en)}</b></p>",
    ]
    if detail := said.safe(one.detail_zh, one.detail_en):
        lines.append(f"<p>{detail}</p>")
    if one.indicator_codes:
        held = f"{escape(_listed(one.indicator_codes))} ({escape(', '.join(one.marts))})"
        count = len(one.indicator_codes)
        lines.append(f"<p>{said(f'影响 {count} 个指标:', f'indicators held up: {count}: ')}{held}</p>")
    whose = " · ".join(
        part
        for part in (
            said("始于 ", "since ") + clock(one.opened_at),
            said("知悉:", "acknowledged: ") + escape(one.acknowledged_by) if one.acknowledged_by else "",
            said("指派给:", "assigned to: ") + escape(one.assigned_to) if one.assigned_to else "",
        )
        if part
    )
    lines.append(f'<p class="soft">{whose}</p>')
    steps = [_to_runbook(one.runbook, said) if has_runbook else escape(_in_language(one.runbook, said))]
    steps += [f"<code>{escape(one.command)}</code>"] if one.command else []
    if one.runbook or one.command:
        lines.append(f"<p>{said('怎么办:', 'what to do: ')}{' · '.join(filter(None, steps))}</p>")
    return f'<article class="{gravity}">{"".join(lines)}</article>'


def _in_language(section: str, said: _Words) -> str:
    return section.replace("docs/runbook.md", said("docs/runbook.zh.md", "docs/runbook.md"))


def _to_runbook(section: str, said: _Words) -> str:
    """A link to a section of the runbook as it lies beside the page."""
    anchor = escape(section.partition("#")[2])
    name = runbook.page_name(is_zh=said.is_zh)
    return f'<a href="{name}#{anchor}">{said("值班手册", "runbook")}</a>' if section else ""


def _listed(codes: tuple[str, ...], most: int = 12) -> str:
    return ", ".join(codes[:most]) + (f" … +{len(codes) - most}" if len(codes) > most else "")


_Column = tuple[tuple[str, str], bool, Callable[[FeedSeen, _Words], str]]
_FEED: _Column = (
    ("数据源", "feed"),
    False,
    lambda feed, said: (
        f'<b>{said.safe(feed.title_zh, feed.title_en)}</b><br><span class="soft">{escape(feed.feed)}</span>'
    ),
)
_STATE: _Column = (("状态", "state"), False, lambda feed, said: _states(feed, said))
_NEWEST: _Column = (("最新一期", "newest"), False, lambda feed, _: _key(feed.newest_delivery))
_DUE: _Column = (("应报", "due"), False, lambda feed, said: _due(feed, said))
_REFUSED: _Column = (
    ("拒收", "refused"),
    True,
    lambda feed, _: "" if feed.refused_share is None else f"{feed.refused_share:.2%}",
)
_TO_REPAIR: _Column = (
    ("待修正行", "to repair"),
    True,
    lambda feed, _: f"{feed.open_refusals:,}" if feed.open_refusals else "",
)
_LOADED: _Column = (
    ("载入", "loaded"),
    False,
    lambda feed, _: "" if feed.newest_loaded_at is None else clock(feed.newest_loaded_at),
)
_RECEIVED: _Column = (
    ("收到行数", "received"),
    True,
    lambda feed, _: "" if feed.received_rows is None else f"{feed.received_rows:,}",
)


def _feeds(seen: Snapshot, said: _Words) -> str:
    """Feeds that do not stand well; those that do are folded."""
    if seen.feeds is None:
        return (
            f"<h2>{said('数据源', 'Feeds')}</h2>"
            f'<div class="band warning">{said("台账读不到,无法判断", "The ledger cannot be read: cannot tell.")}</div>'
        )
    order = list(FEED_STATES)
    rows = sorted(seen.feeds, key=lambda feed: (order.index(feed.state), feed.feed))
    ill, well = [feed for feed in rows if not feed.is_quiet], [feed for feed in rows if feed.is_quiet]
    shown = ""
    if ill:
        title = said(f"需要关注的数据源({len(ill)})", f"Feeds to look at ({len(ill)})")
        shown = f"<h2>{title}</h2>" + _table(ill, (_FEED, _STATE, _NEWEST, _DUE, _RECEIVED, _REFUSED, _TO_REPAIR), said)
    if well:
        title = said(f"无异常的数据源({len(well)})", f"Feeds in order ({len(well)})")
        columns = (_FEED, _STATE, _NEWEST, _DUE, _RECEIVED, _REFUSED, _TO_REPAIR, _LOADED)
        shown += f"<details><summary>{title}</summary>{_table(well, columns, said)}</details>"
    return shown


def _table(feeds: Iterable[FeedSeen], columns: Sequence[_Column], said: _Words) -> str:
    heads = "".join(f"<th>{said(*head)}</th>" for head, _, _ in columns)
    lines = []
    for feed in feeds:
        cells = [
            f"<td{' class=number' if is_number else ''}{_data_head(said(*head)) if number else ''}>"
            f"{write(feed, said)}</td>"
            for number, (head, is_number, write) in enumerate(columns)
        ]
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _data_head(head: str) -> str:
    return f' data-head="{escape(head)}"'


def _states(feed: FeedSeen, said: _Words) -> str:
    written = []
    for state in sorted(feed.states, key=list(FEED_STATES).index):
        written.append(f'<span class="tag {tone_of(state)}">{said.safe(*FEED_STATES[state])}</span>')
    words = said.safe(feed.last_words_zh, feed.last_words_en)
    return said("、", ", ").join(written) + (f'<br><span class="soft">{words}</span>' if words else "")


def _key(delivery: str | None) -> str:
    return "" if delivery is None else f'<span class="key">{escape(delivery)}</span>'


def _due(feed: FeedSeen, said: _Words) -> str:
    """The oldest delivery that is late, with its own due day; where none is, the newest that is due."""
    delivery, day = (
        (feed.late_delivery, feed.late_since) if feed.late_delivery is not None else (feed.due_delivery, feed.due_on)
    )
    if delivery is None:
        return ""
    written = [_key(delivery)]
    if day is not None:
        written.append(f'<span class="soft key">{said(f"{day} 应报", f"due on {day}")}</span>')
    if feed.deliveries_late:
        late = said(f"迟 {feed.days_late} 天", f"days late: {feed.days_late}")
        if feed.deliveries_late > 1:
            late += said(f",共 {feed.deliveries_late} 期", f", deliveries late: {feed.deliveries_late}")
        written.append(f'<span class="warn">{late}</span>')
    if feed.counties_missing:
        lacking = said(f"缺 {feed.counties_missing} 个县", f"counties missing: {feed.counties_missing}")
        written.append(f'<span class="warn">{lacking}</span>')
    return " ".join(written)


def _rest(seen: Snapshot, said: _Words) -> str:
    """What else there is, folded; open where a channel is not well or messages were given up."""
    unknown = said("无法判断", "cannot tell")
    queue, release, outbox = seen.queue, seen.release, seen.outbox
    facts = [
        (
            said("正在使用的发布", "release"),
            said("还没有", "none yet")
            if release is None and seen.feeds is not None
            else unknown
            if release is None
            else f"{release.release_id} · {clock(release.released_at)}",
        ),
        (
            said("待构建批次", "waiting for a build"),
            unknown
            if queue is None
            else f"{queue.pending_batches:,}"
            + (said(" · 最早 ", " · oldest ") + clock(queue.oldest_since) if queue.oldest_since is not None else ""),
        ),
        (said("待发消息", "messages waiting"), unknown if outbox is None else f"{outbox.waiting:,}"),
        (said("7 天内放弃的消息", "given up within 7 days"), unknown if outbox is None else f"{outbox.given_up:,}"),
        (said("本次用时", "pass"), f"{seen.pass_seconds:.1f} s"),
    ]
    facts += [
        (
            f"{said('渠道', 'channel')} {channel.name} ({channel.kind})",
            said.safe(channel.words_zh, channel.words_en) or said("正常", "fine"),
        )
        for channel in seen.channels
    ]
    is_open = any(channel.words_en for channel in seen.channels) or bool(outbox is not None and outbox.given_up)
    written = "".join(f"<div><dt>{escape(name)}</dt><dd>{value}</dd></div>" for name, value in facts)
    title = said("发布、消息与渠道", "Release, messages, channels")
    return f"<details{' open' if is_open else ''}><summary>{title}</summary><dl>{written}</dl></details>"
