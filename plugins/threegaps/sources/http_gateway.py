"""The provincial gateway: windows of changes, or full lists, in pages that are proved to be whole.

All answers of a window are landed as one part, one answer a line exactly as it was sent (a line break between JSON's
own marks, which carries no meaning, becomes a space). Rows move while pages are read, and pages are cut wherever the
server likes, so that one read proves nothing: two whole reads must have the same rows, each with pages of another size,
unless the server keeps a snapshot, or one answer has everything that its total announces. So a window costs twice its
pages, and a small one two or three requests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from typing import Any

from threegaps.contracts.model import Contract
from threegaps.contracts.options.formats import JsonPagesFormat
from threegaps.contracts.options.sources import HttpSource, Snapshot
from threegaps.errors import ContractError, FeedError, SourceUnavailableError
from threegaps.landing.answers import AnswerError, Silence, number_of, value_at
from threegaps.landing.backends import CHUNK_BYTES
from threegaps.landing.store import Arrival
from threegaps.sources.gateway_client import Answer, GatewayClient, open_client
from threegaps.sources.pagers import turning
from threegaps.sources.readings import Reading, TooManyRowsError, read_pages
from threegaps.sources.retry import Retry
from threegaps.standards.visible import log_of

logger = log_of(__name__)


class HttpGateway:
    """One feed behind the gateway; see `open_gateway`."""

    def __init__(self, contract: Contract, client: GatewayClient) -> None:
        if not isinstance(contract.source, HttpSource) or not isinstance(contract.file_format, JsonPagesFormat):
            raise ContractError("The feed does not come by HTTP, in answers of JSON.", feed=contract.feed)
        self._contract = contract
        self._source = contract.source
        self._rows_path = contract.file_format.rows
        self._client = client
        # Of a window a null may say that nothing changed; a full list without a row says so, or is not believed.
        self._silence: Silence = "nothing" if contract.source.window is None else "null"

    def window(self, updated_from: str, updated_to: str) -> Sequence[Arrival]:
        """The rows updated from *updated_from* (inclusive) to *updated_to* (exclusive), as one part."""
        window = self._source.window
        if window is None:
            raise ContractError("The feed's interface is not asked for windows.", feed=self._contract.feed)
        asked = {window.from_parameter: updated_from, window.to_parameter: updated_to}
        return [
            Arrival(
                part="window",
                source_name=f"{self._source.interface}.jsonl",
                chunks=lambda: self._read(asked),
                watermark_from=updated_from,
                watermark_to=updated_to,
            )
        ]

    def everything(self) -> Sequence[Arrival]:
        """The full list as it stands, as one part."""
        return [Arrival(part="list", source_name=f"{self._source.interface}.jsonl", chunks=lambda: self._read({}))]

    def _read(self, asked: Mapping[str, Any]) -> Iterator[bytes]:
        content = {**self._source.parameters, **asked}
        with ExitStack() as held:
            try:
                if isinstance(self._source.proof, Snapshot):
                    proved = self._of_snapshot(held, self._source.proof, content)
                else:
                    proved = self._of_two_reads(held, self._source.proof.most_reads, content)
            except AnswerError as error:
                raise FeedError(
                    f"An answer has not the form that the contract declares: {error}.",
                    feed=self._contract.feed,
                    file=self._source.interface,
                    advice="compare the interface's answer with its description; it may have a new version.",
                ) from None
            except TooManyRowsError:
                raise FeedError(
                    f"More than {self._source.most_rows} rows came, or pages without an end.",
                    feed=self._contract.feed,
                    file=self._source.interface,
                    cause="limit_exceeded",
                    advice="ask the gateway's operator; a larger number is allowed by the contract's `mostRows`.",
                ) from None
            if proved.total is not None and proved.rows > proved.total:
                logger.warning(
                    "%s: the gateway announces %d rows, and %d came, the same in two reads: its total is wrong.",
                    self._contract.feed,
                    proved.total,
                    proved.rows,
                )
            proved.body.seek(0)
            while chunk := proved.body.read(CHUNK_BYTES):
                yield chunk

    def _of_two_reads(self, held: ExitStack, most_reads: int, content: Mapping[str, Any]) -> Reading:
        earlier: list[Reading] = []
        for number in range(most_reads):
            reading = held.enter_context(closing(self._read_once(number, content, self._ask_total(content))))
            if reading.is_proved_alone or any(reading.has_rows_of(other) for other in earlier):
                return reading
            earlier.append(reading)
            reading.body.close()
        raise self._unproved(f"no two of {most_reads} reads were whole and had the same rows", earlier)

    def _of_snapshot(self, held: ExitStack, proof: Snapshot, content: Mapping[str, Any]) -> Reading:
        total = self._ask_total(content)
        if proof.interface is not None:
            mark = value_at(self._client.ask(proof.interface, content).document, proof.path)
            if mark is None:
                raise AnswerError(f"no mark of a snapshot at {'.'.join(proof.path)}")
            content = {**content, proof.parameter: mark}
        reading = held.enter_context(closing(self._read_once(0, content, total, mark=proof)))
        if not reading.is_whole or (reading.total is not None and reading.rows != reading.total):
            raise self._unproved("the rows of the snapshot are not as many as announced", [reading])
        return reading

    def _read_once(
        self,
        number: int,
        content: Mapping[str, Any],
        ask_total: Callable[[], int] | None,
        *,
        mark: Snapshot | None = None,
    ) -> Reading:
        interface, marked = self._source.interface, dict(content)

        def ask(parameters: Mapping[str, Any], may_be_none: bool) -> Answer | None:
            wanted = {**marked, **parameters}
            answer = (self._client.ask_beyond if may_be_none else self._client.ask)(interface, wanted)
            if answer is not None and mark is not None and mark.parameter not in marked:
                found = value_at(answer.document, mark.path)
                if found is None:
                    raise AnswerError(f"no mark of a snapshot at {'.'.join(mark.path)}")
                marked[mark.parameter] = found
            return answer

        return read_pages(
            ask,
            ask_total,
            pager=self._source.pager,
            total=self._source.total,
            rows_path=self._rows_path,
            silence=self._silence,
            most_rows=self._source.most_rows,
            number=number,
        )

    def _ask_total(self, content: Mapping[str, Any]) -> Callable[[], int] | None:
        total = self._source.total
        if total is None or total.interface is None:
            return None
        interface, path = total.interface, total.path
        first = turning(self._source.pager, 0).parameters()
        return lambda: number_of(value_at(self._client.ask(interface, {**content, **first}).document, path))

    def _unproved(self, what: str, readings: Sequence[Reading]) -> SourceUnavailableError:
        seen = "; ".join(
            f"{reading.rows} rows in {reading.answers} answers"
            + ("" if reading.total is None else f", {reading.total} announced")
            + ("" if reading.fault is None else f", {reading.fault}")
            for reading in readings
        )
        return SourceUnavailableError(
            f"The pages kept shifting while they were read: {what} ({seen}).",
            feed=self._contract.feed,
            file=self._source.interface,
            cause="being_written",
            advice="it is tried again later; if it stays so, run the task when the department's own jobs are over, or"
            " ask the gateway's operator about an order of the rows that does not change between pages.",
        )


@contextmanager
def open_gateway(contract: Contract, *, retry: Retry | None = None) -> Iterator[HttpGateway]:
    """The gateway of *contract*'s connection.

    Raises:
        SettingsError: The connection is not safe, or not usable.
    """
    with open_client(contract, retry or Retry()) as client:
        yield HttpGateway(contract, client)
