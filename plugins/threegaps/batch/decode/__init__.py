"""From the bytes that a department sent to frames in which every value is text, by the contract's declared format.

Nothing is guessed: encoding, compression, delimiter and header are the contract's. Each format is a module of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from threegaps.batch.decode.blocks import FaultyRow, Part, StructuralLine, TextBlock
from threegaps.batch.decode.csv_lines import decode_csv
from threegaps.batch.decode.json_pages import decode_json_pages
from threegaps.batch.decode.replay import decode_replay
from threegaps.batch.decode.workbook import decode_workbook
from threegaps.contracts.model import Contract
from threegaps.errors import FeedError, ThreeGapsError, kind_of

__all__ = ["FaultyRow", "Part", "StructuralLine", "TextBlock", "decode"]

_REPLAY = "replay"
_DECODERS: dict[str, Callable[[Contract, Part, int], Iterator[TextBlock]]] = {
    "csv": decode_csv,
    "xlsx": decode_workbook,
    "json_pages": decode_json_pages,
    _REPLAY: decode_replay,
}


def decode(contract: Contract, part: Part, block_bytes: int) -> Iterator[TextBlock]:
    """The blocks of *part* in order.

    Args:
        contract: The feed's contract, which declares the format.
        part: The landed object.
        block_bytes: About how many bytes of text a block holds; a file of repairs is read whole.

    Raises:
        FeedError: The bytes are not what the contract declares: another format or encoding, a cut archive, an empty
            file, columns that are missing or new, more than the limits allow. The message names the file and, where
            there is one, row and column, and quotes nothing of it.
    """
    kind = _REPLAY if part.is_replay else contract.file_format.kind
    try:
        yield from _DECODERS[kind](contract, part, block_bytes)
    except ThreeGapsError:
        raise
    except Exception as error:  # noqa: BLE001  # whatever a library raises over such bytes is an error of the file
        raise FeedError(
            f"The file cannot be read ({kind_of(error)}).",
            feed=contract.feed,
            file=part.source_name,
            advice="ask the department to write it again; if that does not help, report this with the file's kind.",
            sender_advice="write it anew from the system that holds the data; if that does not help, send it to the"
            " province as it is and say so.",
        ) from None
