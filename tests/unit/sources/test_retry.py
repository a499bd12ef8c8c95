"""How often and after what waits a request is repeated."""

from __future__ import annotations

import types

import pytest

from threegaps.contracts.loader import find_contract
from threegaps.contracts.model import Contract
from threegaps.errors import FeedError, SourceUnavailableError
from threegaps.settings import Settings
from threegaps.sources import retry
from threegaps.sources.retry import Retry
from threegaps.sources.trouble import TransientError


@pytest.fixture
def contract() -> Contract:
    return find_contract(Settings.load().contracts_folder, "hrss/training_enrollments")


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    noted: list[float] = []
    monkeypatch.setattr(retry, "time", types.SimpleNamespace(sleep=noted.append))
    return noted


class Server:
    """Fails with these errors, one an attempt, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.asked = 0

    def ask(self) -> str:
        self.asked += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


def test_waits_double(contract: Contract, waits: list[float]) -> None:
    server = Server(*(TransientError("busy") for _ in range(3)))
    assert Retry().run(contract, server.ask) == "answer"
    assert waits == [1.0, 2.0, 4.0]


def test_a_server_that_asks_to_wait_is_obeyed_within_bounds(contract: Contract, waits: list[float]) -> None:
    server = Server(TransientError("429", retry_after=7), TransientError("429", retry_after=3600))
    assert Retry(longest_seconds=60).run(contract, server.ask) == "answer"
    assert waits == [7, 60]


def test_it_gives_up_and_says_so(contract: Contract, waits: list[float]) -> None:
    server = Server(*(TransientError("The gateway has trouble.") for _ in range(9)))
    with pytest.raises(SourceUnavailableError, match=r"The gateway has trouble\. Tried 3 times") as told:
        Retry(attempts=3).run(contract, server.ask)
    assert server.asked == 3
    assert told.value.feed == contract.feed
    assert "hrss_gateway" in str(told.value)


def test_what_will_not_pass_is_not_tried_again(contract: Contract, waits: list[float]) -> None:
    server = Server(FeedError("wrong login"))
    with pytest.raises(FeedError, match="wrong login"):
        Retry().run(contract, server.ask)
    assert (server.asked, waits) == (1, [])
