"""Folders of a department that are looked into for a delivery's files, whatever leads to them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Generator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass

from threegaps.calendar import Delivery
from threegaps.contracts.model import Contract
from threegaps.errors import FeedError, StillBeingWrittenError
from threegaps.sources.files import Folder, file_source, looks_of, offer_files
from threegaps.sources.model import Offer
from threegaps.sources.names import filled, folder_above
from threegaps.sources.quiet import FoundFile


@dataclass(frozen=True, slots=True)
class Stray:
    """Something in a folder that is no file which could be taken.

    Args:
        kind: What it is, in the plural: its name is not repeated.
    """

    kind: str


UNREADABLE = Stray("names that cannot be read")


class FolderSource(ABC):
    """The folders of one feed.

    Args:
        contract: Of a feed that comes in files.
        template: The folder of a delivery.
    """

    def __init__(self, contract: Contract, template: str) -> None:
        self._contract = contract
        self._template = template
        self._most_entries = file_source(contract).most_entries
        self._looks = looks_of(contract)
        self._folders: dict[str, Folder | None] = {}

    def offer(self, delivery: Delivery) -> Offer:
        """What lies in the delivery's folder; nothing while a folder of its own has not come."""
        name = filled(self._template, delivery)
        if name not in self._folders:
            with self._in_our_words():
                self._folders[name] = self._listed(name)
        folder = self._folders[name]
        if folder is None:
            return Offer([], waiting_for=f"the folder {name}")
        return offer_files(self._contract, delivery, folder, self._looks)

    def look_again(self) -> None:
        """Forget what folders held."""
        self._folders.clear()

    def _listed(self, name: str) -> Folder | None:
        files: list[FoundFile] = []
        strays: Counter[str] = Counter()
        try:
            with closing(self._entries(name)) as entries:
                for count, entry in enumerate(entries, 1):
                    if count > self._most_entries:
                        raise FeedError(
                            f"The folder {name} holds more than {self._most_entries} names.",
                            feed=self._contract.feed,
                            cause="limit_exceeded",
                            advice="ask the department to clear it; more are allowed by the contract's `mostEntries`.",
                        )
                    if isinstance(entry, FoundFile):
                        files.append(entry)
                    elif entry is not None:
                        strays[entry.kind] += 1
        except FileNotFoundError:
            above = folder_above(self._template)
            if above is not None and self._is_there(above):
                return None
            raise self._without_folder(name if above is None else above) from None
        return Folder(name, files, strays)

    def _changed(self, name: str) -> StillBeingWrittenError:
        return StillBeingWrittenError(
            "The file changed while it was read: it is still being written.",
            feed=self._contract.feed,
            file=name,
            advice="it is looked at again by itself.",
        )

    @abstractmethod
    def _in_our_words(self) -> AbstractContextManager[None]:
        """Says trouble with a folder in words that name the feed."""

    @abstractmethod
    def _entries(self, folder: str) -> Generator[FoundFile | Stray | None, None, None]:
        """What *folder* holds; None for what has gone since.

        Raises:
            FileNotFoundError: There is no such folder.
        """

    @abstractmethod
    def _is_there(self, folder: str) -> bool:
        """Whether there is such a folder."""

    @abstractmethod
    def _without_folder(self, folder: str) -> FeedError:
        """The error for a folder that should be there and is not."""
