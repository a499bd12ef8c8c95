"""What each contract of ours says besides what the pipeline needs: who answers, who reads, by which law and standard.

A faulty answer to one of these harms no load, so the loader does not ask; `threegaps.contracts.lint` does.
"""

from __future__ import annotations

from collections.abc import Iterator

from threegaps.contracts.authorities import (
    AUTHORITIES,
    CATALOGUE_FIELDS,
    CREDIT_CODES,
    DIVISIONS,
    FORMS,
    GRADES,
    INDUSTRIES,
    OCCUPATIONS,
    RESIDENT_IDS,
    RETENTION,
)
from threegaps.contracts.document import AuthoritativeDefinition, ContractDocument, Property
from threegaps.contracts.options.statutory import StatisticalForm
from threegaps.contracts.retention import least_months
from threegaps.contracts.tables import PERSON_COLUMN, PSEUDONYM_COLUMN

PERSONAL = "personal-data"
"""The tag of feeds whose rows speak of persons."""

_ROLES = {"pipeline": "write", "bi_reader": "read", "county_reader": "read"}
_OF_THE_DOCUMENT = (GRADES, CATALOGUE_FIELDS, RETENTION)
_PERSONAL_GRADES = frozenset({"L3", "L4"})


def problems(document: ContractDocument) -> Iterator[str]:
    """What the contract lacks or contradicts, a sentence each."""
    yield from _people(document)
    yield from _law(document)
    yield from _citations("document", document.authoritative_definitions, _OF_THE_DOCUMENT)
    counties = _county_columns(document)
    for column in document.schema_[0].properties:
        required = _standards_of(column, counties)
        yield from _citations(f"column {column.name}", column.authoritative_definitions, required)
        if column.name == PERSON_COLUMN and column.physical_name is None:
            yield f"column {column.name}: say `physicalName: {PSEUDONYM_COLUMN}`, which the raw table has instead"
        note = column.custom_properties.note_zh
        if note is not None and not has_chinese(note):
            yield f"column {column.name}: noteZh is not Chinese"


def has_chinese(text: str) -> bool:
    """Whether a text holds a Chinese character."""
    return any("\u4e00" <= character < "\ua000" for character in text)


def _people(document: ContractDocument) -> Iterator[str]:
    if document.team is None or not document.team.members:
        yield "team: say which department sends it and which posts answer for it"
    if not document.support:
        yield "support: name the channel where one asks"
    granted = {role.role: role.access for role in document.roles}
    for role, access in _ROLES.items():
        if granted.get(role) != access:
            yield f"roles: {role} has {access}"
    if writers := sorted(role for role, access in granted.items() if access == "write" and role != "pipeline"):
        yield f"roles: {', '.join(writers)} cannot have write: only the pipeline writes"


def _law(document: ContractDocument) -> Iterator[str]:
    custom = document.custom_properties
    is_personal = any(column.classification in _PERSONAL_GRADES for column in document.schema_[0].properties)
    if is_personal != (PERSONAL in document.tags):
        yield f"tags: {PERSONAL} stands where a column has grade L3 or L4, and only there"
    if not document.tags:
        yield "tags: name the measures that it serves (measure-08)"
    if not has_chinese(custom.row_zh):
        yield "rowZh: is not Chinese"
    if not custom.legal_basis:
        yield "legalBasis: name the laws under which it may be had"
    if custom.sharing is None:
        yield "sharing: say whether it may be shared, and whether it is open"
    elif is_personal and (custom.sharing.kind == "unconditional" or custom.sharing.is_open):
        yield "sharing: rows about persons are shared under a condition at most, and never open"
    yield from _mark(document)
    if custom.platform is not None and not has_chinese(custom.platform.basis_zh):
        yield "platform: `basisZh` is not Chinese"
    retention = document.service_level("retention")
    least = least_months(is_summary=custom.is_summary)
    if retention is not None and isinstance(retention.value, int) and retention.value < least:
        yield f"slaProperties/retention: is under {least} months: the law has raw data kept two years, summaries ten"


def _mark(document: ContractDocument) -> Iterator[str]:
    """Published statistics come of a form; a form cites what has it carry its number."""
    custom = document.custom_properties
    mark = custom.statutory_mark
    if mark is None:
        yield "statutoryMark: say whether it is an administrative record or a statistical form"
        return
    is_form = isinstance(mark, StatisticalForm)
    if custom.is_published and not is_form:
        yield "statutoryMark: published statistics (`isPublished`) come of a statistical form"
    if is_form and FORMS not in {citation.url for citation in document.authoritative_definitions}:
        yield f"document: does not cite {AUTHORITIES[FORMS].title}"
    texts = (mark.survey_zh, mark.agency_zh) if isinstance(mark, StatisticalForm) else (mark.activity_zh,)
    if not all(map(has_chinese, texts)):
        yield "statutoryMark: its words are not Chinese"


def _citations(where: str, cited: tuple[AuthoritativeDefinition, ...], required: tuple[str, ...]) -> Iterator[str]:
    for citation in cited:
        known = AUTHORITIES.get(citation.url)
        if known is None:
            yield f"{where}: cites {citation.url}, which is not among the authorities"
        elif citation.type != known.kind or not citation.description.startswith(known.title):
            yield f"{where}: cites {citation.url} otherwise than as {known.kind} {known.title}"
    urls = {citation.url for citation in cited}
    for url in required:
        if url not in urls:
            yield f"{where}: does not cite {AUTHORITIES[url].title}"


def _county_columns(document: ContractDocument) -> frozenset[str]:
    """The columns whose values end as codes of divisions."""
    return frozenset(
        option.column
        for option in document.custom_properties.normalisations
        if option.kind.startswith("county_") and hasattr(option, "column")
    )


def _standards_of(column: Property, counties: frozenset[str]) -> tuple[str, ...]:
    """The standards that a column of this meaning follows."""
    rules = {entry.implementation.type for entry in column.quality}
    found = []
    if column.name == PERSON_COLUMN:
        found.append(RESIDENT_IDS)
    if column.name in counties:
        found.append(DIVISIONS)
    if column.name.endswith("uscc") or "expect_credit_code_to_be_valid" in rules:
        found.append(CREDIT_CODES)
    if column.name.endswith("industry_code"):
        found.append(INDUSTRIES)
    if column.name.endswith("occupation_code"):
        found.append(OCCUPATIONS)
    return tuple(found)
