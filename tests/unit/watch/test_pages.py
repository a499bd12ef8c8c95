"""status.html and status.json: self-contained, safe, whole, and stale when the watch is."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import subprocess
import threading
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.unit.watch.some_snapshots import BLIND, FINE, LATE, QUIET, WHOLE
from threegaps.settings import Settings
from threegaps.watch.kinds import KINDS, runbook
from threegaps.watch.pages import DATA_NAME, PAGE_NAMES, Language, as_data, page, state_of, write_pages
from threegaps.watch.snapshot import IncidentSeen, Snapshot

PAGE_NAME = PAGE_NAMES["zh"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")


class Elements(HTMLParser):
    """Tags with their attributes, and the text."""

    VOID = frozenset({"meta", "br"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in {"style", "script"}:
            self.text += data


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("snapshot", [WHOLE, BLIND, QUIET])
def test_the_page_is_well_formed_and_asks_no_other_host(snapshot: Snapshot, language: Language) -> None:
    html = page(snapshot, language)
    elements = Elements(html)
    links = [value for _, attributes in elements.tags for name, value in attributes.items() if name in {"src", "href"}]
    assert links == [PAGE_NAMES["en" if language == "zh" else "zh"], DATA_NAME]
    assert not re.search(r"https?://|//[a-z]", html.replace("http-equiv", ""))
    assert "default-src 'none'" in html
    assert {"style", "script", "main"} <= {tag for tag, _ in elements.tags}


@pytest.mark.parametrize(
    ("language", "parts"),
    [
        (
            "zh",
            (
                "合成数据",
                "1 项严重,1 项警告;3 个数据源中 1 个无异常",
                "缴费工资记录 2026-10 迟到 7 天",
                "2026-10 2026-11-20 应报 迟 7 天,共 2 期 缺 3 个县",
                "docs/runbook.zh.md#a-feed-is-late",
                "10.1.2.3:5432 拒绝连接",
                "影响 15 个指标:M14-1",
                "知悉:王值班",
                "渠道 group 缺环境变量",
                "写于 2026-11-27 15:00 +08:00",
            ),
        ),
        (
            "en",
            (
                "Synthetic data",
                "critical: 1, warnings: 1; 1 of 3 feeds in order",
                "2026-10 due on 2026-11-20 days late: 7, deliveries late: 2 counties missing: 3",
                "docs/runbook.md#a-feed-is-late",
                "10.1.2.3:5432 connection refused, 3 times, since 14:20",
                "indicators held up: 15: M14-1",
                "acknowledged: 王值班",
                "threegaps feeds owed hrss/wage_records",
                "errcode 310000",
                "airflow_api",
                "no answer in time",
                "Channel group lacks a variable",
                "1.25%",
                "written at 2026-11-27 15:00 +08:00",
            ),
        ),
    ],
)
def test_the_page_says_what_is_open_what_is_late_and_that_it_is_synthetic(
    language: Language, parts: tuple[str, ...]
) -> None:
    text = Elements(page(WHOLE, language)).text
    for said in parts:
        assert said in text
    # The gravest first: what stands above is what must be done; what is in order is folded below.
    order = ("airflow_api", "Airflow is down", "Contribution wages 2026-10", "market/employers", "hrss/wage_records")
    if language == "zh":
        order = ("airflow_api", "调度系统异常", "缴费工资记录 2026-10", "market/employers", "education/schools")
    places = [text.rindex(one) for one in order]
    assert places == sorted(places)
    assert page(WHOLE).index("<details>") < page(WHOLE).index("education/schools")
    assert "Synthetic" not in Elements(page(QUIET, "en")).text


@pytest.mark.parametrize("snapshot", [WHOLE, BLIND, QUIET])
def test_each_page_speaks_one_language(snapshot: Snapshot) -> None:
    said = re.sub("中文|王值班", "", Elements(page(snapshot, "en")).text)
    assert not re.search("[\u4e00-\u9fff]", said)
    words = {"warning", "critical", "feeds", "late", "since", "release", "fine", "The"}
    assert words.isdisjoint(Elements(page(snapshot, "zh")).text.replace("threegaps feeds owed", "").split())


def test_what_one_language_lacks_is_said_in_the_other() -> None:
    only = dataclasses.replace(WHOLE.incidents[1], title_en="", detail_zh="", detail_en="no answer")
    seen = dataclasses.replace(WHOLE, incidents=(only,))
    assert only.title_zh in page(seen, "en")
    assert "no answer" in page(seen, "zh")


def test_nothing_is_green_unless_the_page_is_known_to_be_fresh() -> None:
    """What a dead watch left behind looks like any other page: only the script knows its age."""
    html = page(QUIET)
    assert '<div class="band fine">' in html
    coloured = re.findall(r"([^{}]*)\{[^{}]*var\(--green(?:back)?\)", html)
    assert len(coloured) == 2
    assert all(rule.strip().startswith(".fresh ") for rule in coloured)
    assert "<body data-at" in html, "the script alone says that it is fresh"
    assert ".stale .band.fine{display:none}" in html


@pytest.mark.skipif(shutil.which("node") is None, reason="there is nothing here that runs the page's script")
@pytest.mark.parametrize(("seconds", "shown"), [(0, "fresh"), (119, "fresh"), (600, "stale"), (-600, "stale")])
def test_a_page_is_fresh_only_near_the_clock_of_who_looks_at_it(seconds: int, shown: str) -> None:
    script = re.findall("<script>(.*?)</script>", page(QUIET), re.DOTALL)[0]
    around = f"""
    var shown = [], minutes = {{}};
    var document = {{title: "", body: {{dataset: {{at: {1_764_000_000 - seconds}, most: 120}},
      classList: {{toggle: function (name, is) {{ if (is) shown.push(name) }}}}}},
      querySelector: function () {{ return {{textContent: ""}} }},
      querySelectorAll: function () {{ return [minutes] }}}};
    Date.now = function () {{ return 1764000000000 }}; setInterval = function () {{}};
    {script}
    console.log(shown.join(), minutes.textContent)"""
    said = subprocess.run(["node", "-e", around], capture_output=True, text=True, check=True).stdout
    assert said.split() == [shown, str(abs(seconds) // 60)]


def test_the_page_of_many_feeds_stays_short() -> None:
    many = tuple(dataclasses.replace(FINE, feed=f"education/schools_{number}") for number in range(40))
    html = page(dataclasses.replace(QUIET, feeds=many))
    shown = re.sub("<details>.*?</details>", "", html)
    assert "education/schools" not in shown
    assert html.count("<tr>") == 41


def test_what_cannot_be_told_is_not_said_to_be_fine() -> None:
    assert [state_of(snapshot) for snapshot in (WHOLE, BLIND, QUIET)] == ["critical", "warning", "fine"]
    for language, unknown, fine in (("zh", "无法判断", "正常"), ("en", "cannot tell", "fine")):
        text = Elements(page(BLIND, language)).text
        assert (unknown in text, fine in text) == (True, False)


def test_the_page_carries_its_age_for_the_script_and_refreshes_itself() -> None:
    html = page(dataclasses.replace(WHOLE, interval_seconds=60))
    assert f'data-at="{WHOLE.taken_at.timestamp():.0f}"' in html
    assert 'data-most="240"' in html
    assert 'data-most="120"' in page(WHOLE)
    assert '<meta http-equiv="refresh" content="60">' in html
    assert "值守程序已停止写入" in html


def test_a_feed_that_is_late_is_no_fine_though_no_incident_tells_of_it_yet() -> None:
    assert state_of(dataclasses.replace(QUIET, feeds=(FINE, LATE))) == "warning"
    awaited = dataclasses.replace(FINE, states=("awaited",))
    assert state_of(dataclasses.replace(QUIET, feeds=(FINE, awaited))) == "fine"
    assert dataclasses.replace(FINE, states=()).state == "cannot_tell"
    assert state_of(dataclasses.replace(QUIET, feeds=(dataclasses.replace(FINE, states=()),))) == "warning"


def test_incidents_lead_to_the_runbook_that_lies_beside_the_page(tmp_path: Path) -> None:
    docs = Settings.load().root / "docs"
    incidents = tuple(dataclasses.replace(WHOLE.incidents[0], kind=kind, runbook=runbook(kind)) for kind in KINDS)
    write_pages(dataclasses.replace(WHOLE, incidents=incidents), tmp_path, docs)
    for language, name in PAGE_NAMES.items():
        links = [
            str(attributes["href"])
            for tag, attributes in Elements((tmp_path / name).read_text(encoding="utf-8")).tags
            if tag == "a" and attributes["href"] not in {DATA_NAME, *PAGE_NAMES.values()}
        ]
        assert len(links) == len(KINDS)
        for link in links:
            there, _, place = link.partition("#")
            assert there == ("runbook.zh.html" if language == "zh" else "runbook.html")
            tags = Elements((tmp_path / there).read_text(encoding="utf-8")).tags
            assert place in {attributes.get("id") for _, attributes in tags}, link
    # A line of the runbook that leads to another page leads nowhere from here.
    for name in ("runbook.html", "runbook.zh.html"):
        there = Elements((tmp_path / name).read_text(encoding="utf-8")).tags
        leads = {str(attributes.get("href")).partition("#")[0] for tag, attributes in there if tag == "a"}
        assert leads <= {"", "None", "runbook.html", "runbook.zh.html"}


def test_where_there_is_no_runbook_its_section_is_named(tmp_path: Path) -> None:
    write_pages(WHOLE, tmp_path, tmp_path / "docs")
    elements = Elements((tmp_path / PAGE_NAME).read_text(encoding="utf-8"))
    assert [attributes["href"] for tag, attributes in elements.tags if tag == "a"] == [PAGE_NAMES["en"], DATA_NAME]
    assert "docs/runbook.zh.md#a-feed-is-late" in elements.text


def test_a_command_of_an_incident_is_shown_whole_on_a_narrow_screen() -> None:
    """It wraps: a card of 390 pixels would cut off what is longer."""
    (rule,) = re.findall(r"article p code\{([^}]*)\}", page(WHOLE))
    assert {"white-space:normal", "overflow-wrap:anywhere"} <= set(rule.split(";"))


def test_no_text_becomes_markup() -> None:
    evil = "<script>alert(1)</script>\"'&"
    incident = IncidentSeen(1, evil, evil, "warning", evil, evil, WHOLE.taken_at, evil, evil, evil, evil, evil, evil)
    feed = dataclasses.replace(LATE, feed=evil, title_zh=evil, last_words_en=evil, newest_delivery=evil)
    for language in LANGUAGES:
        html = page(dataclasses.replace(WHOLE, incidents=(incident,), feeds=(feed,), alerts_en=evil), language)
        assert len([tag for tag, _ in Elements(html).tags if tag == "script"]) == 1
        assert "<script>alert" not in html


def test_the_data_says_the_same_as_json() -> None:
    data = json.loads(json.dumps(as_data(WHOLE)))
    assert (data["version"], data["state"], data["stale_after_seconds"]) == (1, "critical", 120)
    assert data["taken_at"] == "2026-11-27T15:00:00+08:00"
    late = data["feeds"][1]
    assert (late["state"], late["refused_share"], late["late_since"]) == ("late", 0.0125, "2026-11-20")
    assert "is_quiet" not in late
    assert as_data(BLIND)["feeds"] is None


def test_files_are_replaced_whole_while_they_are_read(tmp_path: Path) -> None:
    write_pages(QUIET, tmp_path)
    stop = threading.Event()
    seen: set[str] = set()

    def read() -> None:
        while not stop.is_set():
            seen.add((tmp_path / PAGE_NAME).read_text(encoding="utf-8")[-8:])
            json.loads((tmp_path / DATA_NAME).read_text(encoding="utf-8"))

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(50):
        write_pages(WHOLE, tmp_path)
    stop.set()
    reader.join()
    assert seen == {"</html>\n"}
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*PAGE_NAMES.values(), DATA_NAME])
    assert (tmp_path / PAGE_NAME).stat().st_mode & 0o777 == 0o644


def test_what_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    write_pages(QUIET, tmp_path)
    before = (tmp_path / PAGE_NAME).read_bytes()
    (tmp_path / f".{DATA_NAME}.{__import__('os').getpid()}").mkdir()
    with pytest.raises(OSError, match="irectory"):
        write_pages(WHOLE, tmp_path)
    assert (tmp_path / PAGE_NAME).read_bytes() == before
