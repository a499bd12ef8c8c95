"""The duty page's language: Chinese, or English where Airflow's page is set to another one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from fastapi import Request
from markupsafe import Markup

from threegaps.labels import COUNTIES, Labels
from threegaps.ledger.tickets import Ticket
from threegaps.settings import SHANGHAI
from threegaps.standards.areas import county_named
from threegaps.standards.moments import NEVER, clock
from threegaps.standards.visible import visible
from threegaps.watch.looks.wording import lasting

_ZONE = " +08:00"
LANGUAGE_COOKIE = "threegaps_language"
"""Set by the page's script from Airflow's ``i18nextLng``, which no server sees."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """Says things in one language, as templates ask for them.

    Args:
        language: Which.
        now: The moment at which the page is made.
    """

    language: Literal["zh", "en"]
    now: dt.datetime

    @classmethod
    def of(cls, request: Request, now: dt.datetime) -> Speaker:
        """The speaker that a request wants: by its cookie, else in Chinese."""
        is_english = request.cookies.get(LANGUAGE_COOKIE) == "en"
        return cls(language="en" if is_english else "zh", now=now)

    @property
    def is_zh(self) -> bool:
        """Whether it speaks Chinese."""
        return self.language == "zh"

    def say(self, zh: str | None, en: str | None) -> str:
        """The one of the two that is in the language; the other one where that is not there."""
        first, second = (zh, en) if self.is_zh else (en, zh)
        return visible(first or second or "")

    def label(self, labels: Labels, code: str | None) -> str:
        """What a code is called; one without a label stands for itself."""
        if code is None:
            return ""
        return self.say(*labels.get(code, (code, code)))

    def county(self, code: str) -> str:
        """A county's code with its name; of a row that names none that is known, so."""
        return self.label(COUNTIES, county_named(code))

    @property
    def unknown(self) -> str:
        """What stands where the ledger does not say: neither nothing nor no."""
        return self.say("无从判断", "cannot tell")

    def listed(self, labels: Labels, codes: Iterable[str]) -> str:
        """What some codes are called, in a line."""
        return self.say("、", ", ").join(self.label(labels, code) for code in codes)

    def moment(self, moment: dt.datetime | None) -> str:
        """A moment by the province's clock; a dash where there is none."""
        if moment is None:
            return "–"
        return self.unknown if moment >= NEVER else clock(moment).removesuffix(_ZONE)

    def when(self, moment: dt.datetime | None) -> str:
        """The same as markup that says the zone when it is pointed at: on the page the head says it once."""
        said = self.moment(moment)
        if moment is None or moment >= NEVER:
            return said
        return Markup('<time datetime="{}" title="{}{}">{}</time>').format(
            moment.astimezone(SHANGHAI).isoformat(timespec="minutes"), said, _ZONE, said
        )

    def day(self, moment: dt.datetime | dt.date | None) -> str:
        """Its day."""
        if moment is None:
            return "–"
        day = moment.astimezone(SHANGHAI).date() if isinstance(moment, dt.datetime) else moment
        return day.isoformat() if dt.date.min < day < NEVER.date() else self.unknown

    def ago(self, moment: dt.datetime | None) -> str:
        """For how long it has been; of what nobody knows since when, so."""
        return self.unknown if moment is None else self.say(*lasting(moment, self.now))

    def age(self, ticket: Ticket) -> str:
        """For how many days a ticket has been out."""
        days = ticket.age_days(self.now)
        return self.unknown if days is None else str(days)

    def number(self, number: int | float | Decimal | None) -> str:
        """A number with its thousands apart; a dash where there is none."""
        return "–" if number is None else f"{number:,}"

    def share(self, part: int | None, whole: int | None) -> str:
        """A share as `percent` says it; a dash where the whole is nothing."""
        return "–" if not whole or part is None else percent(100 * part / whole)


def percent(value: float) -> str:
    """Per cent to a tenth: more than nothing never reads as nothing, nor less than all as all."""
    if 0 < value < 0.1:
        return "<0.1%"
    if 99.9 < value < 100:
        return ">99.9%"
    return f"{value:.1f}%"
