"""XML as events, in flat memory: no document type, no entities, no tag without end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from xml.parsers import expat

from threegaps.batch.decode.xlsx.container import Container

_MAIN = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)
_RELATIONSHIPS = (
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "http://purl.oclc.org/ooxml/officeDocument/relationships",
)
_PACKAGE = ("http://schemas.openxmlformats.org/package/2006/relationships",)
_LONGEST_TAG = 4 << 20
_DEEPEST = 64

Attributes = Mapping[str, str]
Start = Callable[[str, Attributes], None]
End = Callable[[str], None]
Text = Callable[[str], None]


def names(*local: str) -> dict[str, str]:
    """Elements of these local names in the namespaces that workbooks have, transitional and strict."""
    return {f"{space}|{name}": name for space in (*_MAIN, *_PACKAGE) for name in local}


def relationship(attributes: Attributes) -> str | None:
    """The id by which an element names another part."""
    return next((value for space in _RELATIONSHIPS if (value := attributes.get(f"{space}|id"))), None)


class _RefusedError(Exception):
    """The XML holds what no workbook needs."""


class Events:
    """Calls *start*, *end* and *text* for the elements of the local names in *wanted*, and for all text.

    Args:
        container: The workbook, to refuse it.
        wanted: Local names by full ones.
        start: Called with local name and attributes.
        end: Called with the local name.
        text: Called with pieces of text, wherever it stands.
    """

    def __init__(
        self, container: Container, wanted: Mapping[str, str], start: Start, end: End, text: Text | None = None
    ) -> None:
        self._container = container
        parser = expat.ParserCreate(namespace_separator="|")
        parser.buffer_text = True
        depth = 0

        def started(name: str, attributes: dict[str, str]) -> None:
            nonlocal depth
            depth += 1
            if depth > _DEEPEST:
                raise _RefusedError("elements are nested too deeply")
            local = wanted.get(name)
            if local is not None:
                start(local, attributes)

        def ended(name: str) -> None:
            nonlocal depth
            depth -= 1
            local = wanted.get(name)
            if local is not None:
                end(local)

        def refuse(*_: object) -> None:
            raise _RefusedError("it has a document type or entities")

        parser.StartElementHandler = started
        parser.EndElementHandler = ended
        parser.CharacterDataHandler = text
        parser.StartDoctypeDeclHandler = refuse
        parser.EntityDeclHandler = refuse
        self._parser = parser
        self._fed = 0

    def feed(self, chunk: bytes, *, is_last: bool = False) -> None:
        """Take in more of the document.

        Raises:
            FeedError: It is no XML, or holds what no workbook needs.
        """
        try:
            self._parser.Parse(chunk, is_last)
        except expat.ExpatError as error:
            self._container.refuse(f"its XML is damaged: {expat.ErrorString(error.code)}")
        except LookupError:
            self._container.refuse("its XML is damaged: it is in an unknown encoding")
        except _RefusedError as error:
            self._container.refuse(str(error))
        self._fed += len(chunk)
        if self._fed - self._parser.CurrentByteIndex > _LONGEST_TAG:
            self._container.refuse("a tag has no end")

    def run(self, chunks: Iterable[bytes]) -> None:
        """Take in a whole document."""
        for _ in self.steps(chunks):
            pass

    def steps(self, chunks: Iterable[bytes]) -> Iterator[None]:
        """Take in a document, pausing after each chunk."""
        for chunk in chunks:
            self.feed(chunk)
            yield
        self.feed(b"", is_last=True)
        yield
