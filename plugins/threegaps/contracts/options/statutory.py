"""What a feed is by the Statistics Law, and what a directory of government data says of it."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from threegaps.contracts.options.base import Option, OptionError, Text

_EXAMPLE = re.compile(r"(示例|合成)")
_APPROVAL = re.compile(r"\D+[〔\[((]20\d\d[〕\]))]\d+号")


class AdministrativeRecord(Option):
    """An administrative record (行政记录): it arises as a department does its work, and nobody is surveyed for it.

    Args:
        activity_zh: The work in which it arises.
    """

    kind: Literal["administrative_record"]
    activity_zh: Text

    @property
    def arises_from_zh(self) -> str:
        """What the data come about by."""
        return self.activity_zh


class StatisticalForm(Option):
    """A statistical form: 浙统〔2024〕31号 has it carry a number, its maker, its approval and its validity.

    Args:
        survey_zh: The survey that the form belongs to.
        form_number: Its number (表号).
        agency_zh: Who made it (制表机关).
        approval_number: The number of its approval (批准文号).
        valid_until: The last day on which it may be used (有效期).
        is_example: Whether its numbers and the date are made up, as in the sandbox or where none is known. The numbers
            then begin with 示例 or 合成, so that nobody takes them for real, and it does not expire.
        source_zh: Where the numbers were read; of real ones only, which need it.
    """

    kind: Literal["statistical_form"]
    survey_zh: Text
    form_number: Text
    agency_zh: Text
    approval_number: Text
    valid_until: Annotated[dt.date, Field(strict=False)]
    is_example: bool = False
    source_zh: Text | None = None

    @property
    def arises_from_zh(self) -> str:
        """What the data come about by."""
        return self.survey_zh

    @model_validator(mode="after")
    def _cannot_be_mistaken(self) -> Self:
        for key, number in (("formNumber", self.form_number), ("approvalNumber", self.approval_number)):
            if self.is_example and not _EXAMPLE.match(number):
                raise OptionError(
                    key, f"{number!r} looks real in a form that is an example; begin it with 示例 or 合成"
                )
            if not self.is_example and _EXAMPLE.search(number):
                raise OptionError(key, f"{number!r} is an example; say `isExample: true`")
        if not self.is_example and not _APPROVAL.fullmatch(self.approval_number):
            raise OptionError("approvalNumber", f"{self.approval_number!r} is not of the form 浙统制〔2025〕1号")
        if self.is_example == (self.source_zh is not None):
            raise OptionError("sourceZh", "says where real numbers were read: real ones need it, examples have none")
        return self

    def is_expired(self, day: dt.date) -> bool:
        """Whether the form may no longer be used on *day*; what is made up does not expire."""
        return not self.is_example and self.valid_until < day


StatutoryMark = Annotated[AdministrativeRecord | StatisticalForm, Field(discriminator="kind")]


class DirectoryEntry(Option):
    """What the owner of a directory of government data gives an entry; until then `catalogue export` leaves it empty.

    Args:
        resource_code: The entry's code (信息资源代码).
        provider_code: The provider's unified social credit code (信息资源提供方代码).
        published_on: The day on which the provider published it (发布日期).
        opening_condition_zh: Under what condition it is open to society (开放条件).
        related_feeds: Feeds whose entries say the same in part (关联资源代码).
    """

    resource_code: Text | None = None
    provider_code: Annotated[str, Field(pattern=r"^[0-9A-Z]{18}$")] | None = None
    published_on: Annotated[dt.date | None, Field(strict=False)] = None
    opening_condition_zh: Text | None = None
    related_feeds: Annotated[tuple[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*/[a-z][a-z0-9_]*$")], ...],
                             Field(strict=False)] = ()  # fmt: skip
