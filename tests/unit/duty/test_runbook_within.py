"""The runbook within the duty page: in its language or the other, with the anchors that incidents lead to."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from threegaps.duty.access import Viewer
from threegaps.duty.app import make_app
from threegaps.settings import Settings
from threegaps.watch.kinds import KINDS, anchor


def client(root: Path | None = None) -> TestClient:
    environment = {} if root is None else {"THREEGAPS_ROOT": str(root)}
    return TestClient(make_app(Settings.load(environment), lambda: Viewer("somebody", may_write=False)))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_each_kind_of_incident_has_its_place_in_it(language: str) -> None:
    said = client().get("/runbook", headers={"Cookie": f"threegaps_language={language}"}).text
    assert ("值班手册" in said) == (language == "zh")
    places = set(re.findall(r'id="([^"]+)"', said))
    assert {anchor(kind.runbook) for kind in KINDS.values()} <= places


def test_its_contents_lead_to_every_section_in_both_languages() -> None:
    found = {}
    for language in ("zh", "en"):
        said = client().get(f"/runbook?language={language}").text
        contents, _, rest = said.partition('<nav class="contents"')[2].partition("</nav>")
        found[language] = re.findall(r'<a href="#([^"]+)">([^<]+)</a>', contents)
        heads = [html.unescape(re.sub("<.*?>", "", head)) for head in re.findall(r"<h2.*?>(.*?)</h2>", rest)]
        assert [html.unescape(head) for _, head in found[language]] == heads
        assert {place for place, _ in found[language]} <= set(re.findall(r'id="([^"]+)"', rest))
    assert [place for place, _ in found["zh"]] == [place for place, _ in found["en"]]
    assert len(found["zh"]) > 30


def test_the_other_language_is_asked_for_by_its_link() -> None:
    said = client().get("/runbook").text
    assert 'href="?language=en"' in said
    assert "For the engineer on duty" in client().get("/runbook?language=en").text
    assert client().get("/runbook?language=fr").status_code == 400


def test_links_to_pages_that_do_not_lie_there_are_no_links() -> None:
    for language in ("zh", "en"):
        body = client().get(f"/runbook?language={language}").text.partition("<main>")[2]
        assert all(href.startswith(("#", "?language=")) for href in re.findall(r'href="([^"]*)"', body))


def test_an_installation_without_it_says_so(tmp_path: Path) -> None:
    answer = client(tmp_path).get("/runbook")
    assert (answer.status_code, "docs/runbook.zh.md" in answer.text) == (200, True)


def test_it_is_read_again_when_it_has_changed(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    page = tmp_path / "docs" / "runbook.zh.md"
    for said in ("先前", "后来的"):
        page.write_text(f"# {said}\n", encoding="utf-8")
        assert f"<h1>{said}</h1>" in client(tmp_path).get("/runbook").text
