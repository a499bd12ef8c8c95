"""What a telephone shows of a page: rows of tables as cards, with the reason before all else."""

from __future__ import annotations

import datetime as dt
import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn

from tests.browser import Browser
from tests.integration.duty.conftest import FEED, Desk
from threegaps.watch import journal

pytestmark = pytest.mark.integration


@pytest.fixture
def address(desk: Desk) -> Iterator[str]:
    """Where the desk's pages are served to a browser."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(desk.application, log_level="warning", lifespan="off"))
        serving = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        serving.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/duty"
        finally:
            server.should_exit = True
            serving.join()


@pytest.fixture
def telephone(address: str) -> Iterator[Browser]:
    """A narrow browser of somebody on duty, at work with the desk's pages."""
    browser = Browser(width=390)
    try:
        browser.send("Network.setExtraHTTPHeaders", headers={"X-Login": "duty"})
        yield browser
    finally:
        browser.close()


def test_what_closed_an_incident_is_said_in_the_language_of_the_page(desk: Desk) -> None:
    now = dt.datetime.now(dt.UTC)
    desk.incident(closed_at=now, closed_by="watch", resolution=journal.GONE)
    page = desk.browser("reader").get("/duty/").text
    assert "<td>原因已消失</td>" in page
    assert "<footer>语言随 Airflow 页面的设置</footer>" in page


def test_the_words_of_a_tile_stay_whole(desk: Desk, address: str, telephone: Browser) -> None:
    telephone.resize(1280)
    desk.know_feed()
    telephone.open(f"{address}/")
    wide = (
        "(() => { const tiles = Object.assign(document.createElement('div'), { className: 'tiles' });"
        " tiles.innerHTML = '<a class=\"tile\"><b>Autonomous</b></a>'.repeat(12);"
        " tiles.style.width = '520px'; document.querySelector('main').append(tiles);"
        " return Math.max(...[...tiles.querySelectorAll('b')].map((one) => one.getClientRects().length"
        " + (one.scrollWidth > one.clientWidth) + (one.offsetHeight > 30))); })()"
    )
    assert telephone.ask(wide) == 1


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_menu_is_one_line(address: str, telephone: Browser, language: str) -> None:
    telephone.at_start(f"try {{ localStorage.setItem('i18nextLng', '{language}') }} catch {{}}")
    telephone.open(f"{address}/feeds")
    telephone.until(
        lambda: telephone.ask(f"document.readyState + document.documentElement.lang == 'complete{language}'")
    )
    lines = telephone.all_of("header nav a", "one.offsetTop")
    assert len(lines) == 6
    assert len(set(lines)) == 1


def test_a_refused_row_is_a_card_with_its_reason_and_what_is_wrong_first(
    desk: Desk, address: str, telephone: Browser
) -> None:
    desk.know_feed()
    desk.refuse(desk.batch("2026-05", refused=1), 7)
    telephone.open(f"{address}/feeds/{FEED}/2026-05")
    placed = "[one.getBoundingClientRect().top, one.getBoundingClientRect().right, one.innerText.trim()]"
    cells = sorted(cell for cell in telephone.all_of("tr[data-row] td", placed) if cell[2])
    assert "工资应大于零" in cells[0][2]
    assert "-5" in cells[1][2]
    assert all(right <= 390 for _, right, _ in cells), "nothing is off the screen"
    (head,) = telephone.all_of("th[title=wage_cny_month]", "one.textContent")
    (label,) = telephone.all_of("td.wrong", "getComputedStyle(one, '::before').content")
    assert head in label
    telephone.open(f"{address}/refused")
    assert telephone.all_of("tr[data-refused] td:first-child", "one.dataset.head") == ["规则"]
