"""What every option has in common, and how a wrong one is explained."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel


class Option(BaseModel):
    """A part of a contract: keys in camel case as in the standard, nothing unknown, nothing converted.

    Code may give fields by their names in Python; a file is read by its keys alone (`loader.read_document`).
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        strict=True,
        validate_by_alias=True,
        validate_by_name=True,
    )


class OptionError(ValueError):
    """What is wrong with one key of an option, found by a check of the whole of it.

    Args:
        key: The key, or the path to it below the option.
        message: What is wrong, and what is right.
    """

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def _says_something(written: str) -> str:
    if not written.strip():
        raise ValueError("is empty")
    return written


Text = Annotated[str, AfterValidator(_says_something)]
"""A text that says something: a name, a label, a message."""

Names = Annotated[tuple[Text, ...], Field(strict=False, min_length=1)]
"""One name or several, written as a list."""


def explain(error: ValidationError, written: Any, model: type[BaseModel]) -> list[str]:
    """What is wrong with *written*, a sentence for each fault, each with its path in the file.

    Args:
        error: What the model had against it.
        written: The document as it was read, lists of custom properties already keyed by their names.
        model: The model of the whole document.
    """
    faults = error.errors(include_url=False, include_context=True)
    # A list whose every entry is wrong counts as empty besides: what is wrong with the entries says enough.
    within = {fault["loc"][:depth] for fault in faults for depth in range(len(fault["loc"]))}
    return [
        _sentence(fault, written, model)
        for fault in faults
        if fault["type"] != "too_short" or fault["loc"] not in within
    ]


def _sentence(fault: Mapping[str, Any], written: Any, model: type[BaseModel]) -> str:
    path = _path(fault["loc"], written, is_missing=fault["type"] == "missing")
    where = "/".join(map(str, path)) or "document"
    kind, context = fault["type"], fault.get("ctx", {})
    if kind == "extra_forbidden":
        return f"{where}: unknown key{nearest(str(path[-1]), _keys_at(model, fault['loc'][:-1]))}"
    if kind == "missing":
        return f"{where}: is missing"
    if kind == "union_tag_not_found":
        return f"{where}/{str(context['discriminator']).strip(chr(39))}: is missing"
    if kind == "union_tag_invalid":
        known = [word.strip("' ") for word in str(context["expected_tags"]).split(",")]
        key = str(context["discriminator"]).strip("'")
        return f"{where}/{key}: {context['tag']!r} is not known{nearest(str(context['tag']), known)}"
    if kind == "literal_error":
        known = [word.strip("' ") for word in str(context["expected"]).replace(" or ", ", ").split(",")]
        return f"{where}: {fault['input']!r} is not known{nearest(str(fault['input']), known)}"
    if isinstance(error := context.get("error"), OptionError):
        where = f"{where}/{error.key}"
    said = str(fault["msg"]).removeprefix("Value error, ")
    return f"{where}: {said[:1].lower()}{said[1:]}"


def _path(location: Sequence[str | int], written: Any, *, is_missing: bool) -> list[str | int]:
    """The steps of *location* that stand in the file: a union's tag, which pydantic counts as one, does not."""
    path: list[str | int] = []
    here = written
    for index, step in enumerate(location):
        is_key = isinstance(here, Mapping) and step in here
        if is_key or (isinstance(here, list) and isinstance(step, int) and step < len(here)):
            here = here[step]
        elif not (is_missing and index == len(location) - 1):
            continue
        path.append(step)
    return path


def nearest(name: str, known: Sequence[str]) -> str:
    """The ending of a sentence about a wrong *name*: the right one that is nearest, else all that are *known*."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; there are {', '.join(sorted(known))}" if known else ""


def _keys_at(model: type[BaseModel], location: Sequence[str | int]) -> list[str]:
    """The keys that may stand where *location* leads."""
    models: list[type[BaseModel]] = [model]
    for step in location:
        found: list[type[BaseModel]] = []
        is_field = False
        for model in models:
            for name, field in model.model_fields.items():
                if step in {name, field.alias}:
                    is_field = True
                    found.extend(_models_in(field.annotation))
        if is_field:
            models = found
        elif isinstance(step, str) and len(models) > 1:
            tagged = [model for model in models if _is_tagged(model, step)]
            models = tagged or models
    return sorted({field.alias or name for model in models for name, field in model.model_fields.items()})


def _is_tagged(model: type[BaseModel], tag: str) -> bool:
    return any(tag in get_args(field.annotation) for field in model.model_fields.values())


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)
