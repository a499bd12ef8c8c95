"""What a telephone shows of a page: rows of tables as cards, with the reason before all else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn

from tests.browser import Browser
from tests.integration.duty.conftest import FEED, Desk

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
    assert len(set(telephone.all_of("header nav a", "one.offsetTop"))) == 1, "the menu is one line"
    telephone.open(f"{address}/refused")
    assert telephone.all_of("tr[data-refused] td:first-child", "one.dataset.head") == ["规则"]
