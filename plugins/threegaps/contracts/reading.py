"""A contract's file as plain data; what YAML lets pass and no reader of the file would see is refused with its path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from threegaps.errors import ContractError

_MERGED, _NULL = "tag:yaml.org,2002:merge", "tag:yaml.org,2002:null"


def plain_data(content: bytes, name: str) -> Any:
    """What the file *name* holds.

    Raises:
        ContractError: It is not YAML, says a key twice, of which the last would count, or has a key without a value.
    """
    loader = yaml.CSafeLoader(content)  # the safe one in C
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        faults = [*_faults(node, ())]
        if faults:
            raise ContractError(f"{'; '.join(faults)}.", file=name, advice="mend the file at these paths.")
        return loader.construct_document(node)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ContractError(f"Not valid YAML: {error}.", file=name) from None
    finally:
        loader.dispose()


def _faults(node: yaml.Node, path: tuple[str, ...]) -> Iterator[str]:
    if isinstance(node, yaml.SequenceNode):
        is_keyed = bool(path) and path[-1] == "customProperties"
        for index, entry in enumerate(node.value):
            if not isinstance(entry, yaml.ScalarNode):
                yield from _faults(entry, (*path, (is_keyed and _property(entry)) or str(index)))
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            here, line = (*path, str(key.value)), key.start_mark.line + 1
            if key.tag != _MERGED and key.value in seen:
                yield f"{'/'.join(here)}: stands twice (line {line}); keep one"
            elif value.tag == _NULL:
                yield f"{'/'.join(here)}: is empty (line {line}); say something, or leave the key out"
            elif not isinstance(value, yaml.ScalarNode):
                # The value of a custom property stands under the property's name.
                is_value = key.value == "value" and path[-2:-1] == ("customProperties",)
                yield from _faults(value, path if is_value else here)
            seen.add(key.value)


def _property(entry: yaml.Node) -> str | None:
    """The name of a custom property, under which paths speak of it."""
    pairs = entry.value if isinstance(entry, yaml.MappingNode) else ()
    return next((str(value.value) for key, value in pairs if key.value == "property"), None)
