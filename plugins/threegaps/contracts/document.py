"""The file of a contract as strict models: the parts of the Open Data Contract Standard (v3.1) that feeds use.

What the standard allows and no feed needs is refused like a slip: a key that nothing reads would say what is not done.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PositiveInt, field_validator, model_validator

from threegaps.contracts.options.base import Option, OptionError, Text
from threegaps.contracts.options.column_types import (
    LogicalType,
    LogicalTypeOptions,
    check_options,
    check_physical_type,
)
from threegaps.contracts.options.cron import Cron
from threegaps.contracts.options.deliveries import DeliveryOptions, Touch
from threegaps.contracts.options.formats import FileFormat, Origin
from threegaps.contracts.options.headers import Headers
from threegaps.contracts.options.normalisations import Normalisation
from threegaps.contracts.options.platforms import SourcePlatform
from threegaps.contracts.options.sources import Source
from threegaps.contracts.options.statutory import DirectoryEntry, StatutoryMark
from threegaps.rules.model import Action, Dimension

Grade = Literal["L1", "L2", "L3", "L4"]


def _keyed(written: Any) -> Any:
    """Custom properties, a list of names and values, as a mapping."""
    if not isinstance(written, list) or not all(isinstance(entry, Mapping) for entry in written):
        return written
    unknown = [key for entry in written for key in entry if key not in {"property", "value", "description"}]
    if unknown:
        raise ValueError(f"a custom property has `property` and `value`, not {unknown[0]!r}")
    names = [entry.get("property") for entry in written]
    if not all(isinstance(name, str) for name in names):
        raise ValueError("the name of a custom property is a text")
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"the property {twice[0]!r} stands twice")
    return {entry.get("property"): entry.get("value") for entry in written}


def keyed_document(written: Any) -> Any:
    """The document with every list of custom properties keyed by name, as the models see it; for explanations."""
    if isinstance(written, Mapping):
        return {
            key: _keyed_or_same(value) if key == "customProperties" else keyed_document(value)
            for key, value in written.items()
        }
    if isinstance(written, list):
        return [keyed_document(value) for value in written]
    return written


def _keyed_or_same(written: Any) -> Any:
    try:
        return _keyed(written)
    except ValueError:
        return written


CodeLabels = Annotated[tuple[Text, Text], Field(strict=False)]


class Implementation(Option):
    """What Great Expectations runs; in a rule that differs from a derived one, only what differs."""

    type: Text | None = None
    kwargs: dict[str, Any] = Field(default_factory=dict)
    meta: Meta | None = None


class Meta(Option):
    """What follows where a rule does not hold, and the reason in Chinese."""

    action: Action | None = None
    message_zh: Text | None = None


class Quality(Option):
    """A rule, or what differs from the derived one of its name; ``description`` is the reason in English."""

    name: Text
    type: Literal["custom"]
    engine: Literal["greatExpectations"]
    description: Text | None = None
    dimension: Dimension | None = None
    implementation: Implementation


class ColumnProperties(Option):
    """What the standard does not have for a column.

    Args:
        headers: What the department calls it; none for a column that comes from elsewhere.
        origin: Where it comes from if from no column: the sheet's name, a group of the file format's ``fileName``, or
            one of its ``values``; left out for a column that is derived from another.
        stored: Whether the raw table has it; units and operations are used up on the way. A column of grade L3 or above
            that is not stored, such as a name, is kept nowhere: refused rows have it masked.
        code_list: The codes that it may hold, each with its meaning in Chinese and in English.
        note_zh: What a reader has to know besides its label, such as when it is empty; the description says it in
            English.
    """

    headers: Headers | None = None
    origin: Origin | None = None
    stored: bool = True
    code_list: dict[Text, CodeLabels] = Field(default_factory=dict)
    note_zh: Text | None = None


class AuthoritativeDefinition(Option):
    """The standard or law that something follows.

    Args:
        url: Its address, or its name as a URN where it has no address that lasts.
        type: What it is.
        description: Its number and title.
    """

    url: Annotated[str, Field(pattern=r"^(urn:[a-z0-9]+:[a-z0-9.:-]+|https://\S+)$")]
    type: Literal["standard", "classification", "guideline", "law"]
    description: Text


class Property(Option):
    """A column."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=63)]
    physical_name: Text | None = None
    business_name: Text
    description: Text
    logical_type: LogicalType
    logical_type_options: LogicalTypeOptions = LogicalTypeOptions()
    physical_type: str
    classification: Grade
    required: bool = False
    primary_key: bool = False
    primary_key_position: PositiveInt | None = None
    partitioned: bool = False
    partition_key_position: PositiveInt | None = None
    tags: Annotated[tuple[Text, ...], Field(strict=False)] = ()
    authoritative_definitions: Annotated[tuple[AuthoritativeDefinition, ...], Field(strict=False)] = ()
    quality: Annotated[tuple[Quality, ...], Field(strict=False)] = ()
    custom_properties: Annotated[ColumnProperties, BeforeValidator(_keyed)] = ColumnProperties()

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        check_physical_type(self.logical_type, self.physical_type)
        check_options(self.logical_type, self.logical_type_options)
        if self.custom_properties.code_list and self.logical_type != "string":
            raise OptionError("codeList", f"codes are texts, and the column is {self.logical_type}; say `string`")
        return self

    @model_validator(mode="after")
    def _positions_are_of_keys(self) -> Self:
        if self.primary_key_position is not None and not self.primary_key:
            raise OptionError("primaryKeyPosition", "the column is no part of the key; say `primaryKey: true`")
        if self.partition_key_position is not None and not self.partitioned:
            raise OptionError("partitionKeyPosition", "the column parts no table; say `partitioned: true`")
        if self.partitioned and not (self.primary_key and self.logical_type == "date"):
            raise OptionError("partitioned", "the raw table is parted by a date of its key, and by nothing else")
        if self.primary_key and not self.custom_properties.stored:
            raise OptionError(
                "primaryKey", "the raw table is keyed by the column; it cannot be left out by `stored: false`"
            )
        return self


class SchemaObject(Option):
    """The table."""

    name: Text
    physical_name: Text
    physical_type: Literal["table"]
    business_name: Text
    description: Text
    properties: Annotated[tuple[Property, ...], Field(strict=False, min_length=1)]
    tags: Annotated[tuple[Text, ...], Field(strict=False)] = ()
    authoritative_definitions: Annotated[tuple[AuthoritativeDefinition, ...], Field(strict=False)] = ()
    quality: Annotated[tuple[Quality, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _columns_stand_once(self) -> Self:
        names = [column.name for column in self.properties]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise OptionError("properties", f"the column {twice!r} stands twice")
        return self

    @model_validator(mode="after")
    def _key_has_an_order(self) -> Self:
        positions = [(column.primary_key_position, column.name) for column in self.properties if column.primary_key]
        for position, name in positions:
            if position is None and len(positions) > 1:
                raise OptionError("properties", f"{name} is one of several of the key; say its primaryKeyPosition")
            others = [other for other_position, other in positions if other_position == position and other != name]
            if others:
                raise OptionError("properties", f"{name} and {others[0]} have the same primaryKeyPosition {position}")
        if sum(column.partitioned for column in self.properties) > 1:
            raise OptionError("properties", "several columns are `partitioned`; the raw table is parted by one")
        return self


class ServerProperties(Option):
    """How the department is reached."""

    connection_id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    pool: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    source: Source


class Server(Option):
    """The department's system."""

    server: Literal["department"]
    type: Literal["custom"]
    description: str | None = None
    custom_properties: Annotated[ServerProperties, BeforeValidator(_keyed)]


class Sharing(Option):
    """The sharing attribute (共享属性) and the attribute of opening (开放属性) of a catalogue of government data.

    Args:
        kind: Shared without a condition (无条件共享), under one (有条件共享), or not (不予共享).
        condition_zh: The condition; of conditional sharing only.
        is_open: Whether the rows are open to society.
    """

    kind: Literal["unconditional", "conditional", "none"]
    condition_zh: Text | None = None
    is_open: bool

    @model_validator(mode="after")
    def _has_its_condition(self) -> Sharing:
        if (self.kind == "conditional") != bool(self.condition_zh):
            raise ValueError("a condition (`conditionZh`) is given where sharing is conditional, and only there")
        return self


class ContractProperties(Option):
    """What the standard does not have for a contract.

    Args:
        title_zh: The feed's name.
        row_zh: What one of its rows is; the description of its table says it in English.
        owner_zh: The department that sends it.
        legal_basis: The laws and regulations under which it may be had, each in its own words.
        sharing: Under what condition it may be shared, and whether it is open.
        statutory_mark: Whether it is an administrative record or a statistical form, and which.
        platform: Which of the platforms that the plan names it comes from; left out where it comes from none.
        directory: What the owner of a directory of government data gave its entry there.
        is_summary: Whether its rows are summaries already (汇总性统计资料), as published statistics are; what a summary
            is made of is kept for a shorter time.
        is_published: Whether its figures were published and stand as they were printed, in the sandbox too, where all
            else is synthetic.
        delivery: What is handed over at once.
        file_format: How bytes become rows.
        normalisations: The clean-ups that are declared. They run in one order for all feeds, in whatever order they
            stand: texts are made plain first, and divisions, which go by the row's date, are read last.
        touch: Which counties and periods a row speaks of.
    """

    title_zh: Text
    row_zh: Text
    owner_zh: Text
    legal_basis: Annotated[tuple[Text, ...], Field(strict=False)] = ()
    sharing: Sharing | None = None
    statutory_mark: StatutoryMark | None = None
    platform: SourcePlatform | None = None
    directory: DirectoryEntry = DirectoryEntry()
    is_summary: bool = False
    is_published: bool = False
    delivery: DeliveryOptions
    file_format: FileFormat
    normalisations: Annotated[tuple[Normalisation, ...], Field(strict=False)] = ()
    touch: Touch


class Description(Option):
    """What the data are for."""

    purpose: Text
    limitations: Text
    usage: Text | None = None
    authoritative_definitions: Annotated[tuple[AuthoritativeDefinition, ...], Field(strict=False)] = ()


class ServiceLevel(Option):
    """One promise of the department's, or of ours."""

    property: Literal["frequency", "timeOfAvailability", "retention"]
    value: int | Text
    unit: Literal["day", "month", "quarter", "term", "year"] | None = None
    description: str | None = None
    scheduler: Literal["cron"] | None = None
    schedule: Cron | None = None


class TeamMember(Option):
    """Someone who answers for the feed, by post (``department.data_steward``), never by name."""

    username: Annotated[str, Field(pattern=r"^[a-z][a-z_]*\.[a-z][a-z_]*$")]
    role: str
    description: str | None = None


class Team(Option):
    """Who sends the feed."""

    name: str
    description: str | None = None
    members: Annotated[tuple[TeamMember, ...], Field(strict=False)] = ()


class Support(Option):
    """Where to ask: the name of a channel, never an address."""

    channel: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    tool: Literal["ticket", "other"] | None = None
    scope: Literal["interactive", "announcements", "issues", "notifications"] | None = None
    description: str | None = None


class Role(Option):
    """Who may read what comes of it."""

    role: str
    access: Literal["read", "write"]
    description: str | None = None


class ContractDocument(Option):
    """A contract's file."""

    api_version: Literal["v3.1.0"]
    kind: Literal["DataContract"]
    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*/[a-z][a-z0-9_]*$")]
    name: Text
    version: Text
    status: Literal["active", "draft", "deprecated"]
    domain: Text
    description: Description
    tags: Annotated[tuple[Text, ...], Field(strict=False)] = ()
    team: Team | None = None
    support: Annotated[tuple[Support, ...], Field(strict=False)] = ()
    roles: Annotated[tuple[Role, ...], Field(strict=False)] = ()
    authoritative_definitions: Annotated[tuple[AuthoritativeDefinition, ...], Field(strict=False)] = ()
    sla_properties: Annotated[tuple[ServiceLevel, ...], Field(strict=False)]
    servers: Annotated[tuple[Server, ...], Field(strict=False, min_length=1, max_length=1)]
    custom_properties: Annotated[ContractProperties, BeforeValidator(_keyed)]
    schema_: Annotated[tuple[SchemaObject, ...], Field(alias="schema", strict=False, min_length=1, max_length=1)]

    @field_validator("sla_properties")
    @classmethod
    def _stand_once(cls, written: tuple[ServiceLevel, ...]) -> tuple[ServiceLevel, ...]:
        names = [level.property for level in written]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"{twice} stands twice: which holds cannot be known")
        return written

    def service_level(self, name: str) -> ServiceLevel | None:
        """The promise of this name; None where there is none."""
        return next((entry for entry in self.sla_properties if entry.property == name), None)


Implementation.model_rebuild()
