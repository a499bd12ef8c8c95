"""alerts.yaml: which channels there are, and what is told through which of them, when.

Read with a schema of its own: what it does not know it refuses by name, and a secret is never written down in it, only
the environment variable that has it. A file that is wrong in one place sends nothing: half a schedule would look like
a whole one.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import yaml

from threegaps.errors import SettingsError
from threegaps.home.files import read_regular
from threegaps.ledger.incidents import GRAVITIES
from threegaps.settings import Settings
from threegaps.watch.channels import dingtalk, wecom
from threegaps.watch.channels.conversation import is_host, is_loopback
from threegaps.watch.channels.mail import problem_of_address
from threegaps.watch.channels.posting import problem_of
from threegaps.watch.hours import Span, WorkingHours

Kind = Literal["mail", "webhook", "dingtalk", "wecom"]
LARGEST_FILE_BYTES = 262_144
HOURS = ("always", "working", "outside")

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_DEPARTMENT = re.compile(r"[a-z][a-z0-9_]*")
# What a robot's address, copied whole, carries as its secret.
_SECRET_PARAMETERS = frozenset({"access_token", "key", "token", "secret", "sign", "signature", "sig", "password"})
_SECRET_KEYS = frozenset({"password", "secret", "token", "key", "access_token", "api_key", "passwd", "webhook"})


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """One channel as the file has it; secrets by the names of their variables only.

    Args:
        options: The rest of its keys, checked, by the names that the file gives them.
    """

    name: str
    kind: Kind
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def variables(self) -> tuple[str, ...]:
        """Environment variables that it needs."""
        return tuple(str(value) for key, value in self.options.items() if key.endswith("_variable"))


@dataclass(frozen=True, slots=True)
class Route:
    """What is told through some channels; an incident goes to the channels of all routes that it fits.

    Args:
        channels: Names of channels.
        from_gravity: Incidents of this gravity and graver.
        departments: Of these only; of all where it is empty.
        kinds: Of these kinds only; of all where it is empty.
        hours: ``always``, or only what opens in ``working`` hours, or ``outside`` of them.
    """

    channels: tuple[str, ...]
    from_gravity: str = "warning"
    departments: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    hours: str = "always"


@dataclass(frozen=True, slots=True)
class Digest:
    """When the daily digest goes out, and through which channels."""

    channels: tuple[str, ...]
    at: dt.time = dt.time(7)


@dataclass(frozen=True, slots=True)
class Alerts:
    """All that the file says.

    Args:
        quiet: When what is not critical waits for the next working hour: a span of each day, ``outside_working_hours``
            or ``never``.
        burst: So many openings (or closings) in one pass go out one by one; more go out as one message.
        give_up_after: A message that could not be sent for so long is given up.
        is_absent: There is no file: nothing is sent.
    """

    channels: tuple[ChannelSettings, ...] = ()
    routes: tuple[Route, ...] = ()
    working_hours: WorkingHours = field(default_factory=WorkingHours)
    quiet: Span | Literal["outside_working_hours", "never"] = "outside_working_hours"
    digest: Digest | None = None
    burst: int = 5
    give_up_after: dt.timedelta = dt.timedelta(hours=24)
    is_absent: bool = False

    def channel(self, name: str) -> ChannelSettings:
        """The channel of that name.

        Raises:
            SettingsError: There is none.
        """
        for channel in self.channels:
            if channel.name == name:
                return channel
        raise SettingsError(
            f"There is no channel {name!r} in alerts.yaml.",
            advice=f"one of: {', '.join(channel.name for channel in self.channels) or 'none'}.",
        )


def alerts_path(settings: Settings) -> Path:
    """Where the file is: `THREEGAPS_ALERTS`, or alerts.yaml in the runtime home."""
    return Path(settings.text("THREEGAPS_ALERTS") or settings.home / "alerts.yaml")


def load_alerts(path: Path, kinds: Sequence[str]) -> Alerts:
    """Read the file; without one nobody is told anything.

    Args:
        kinds: The kinds of incidents that there are.

    Raises:
        SettingsError: It cannot be read, or something in it is wrong; all that is wrong is said.
    """
    try:
        size = path.stat().st_size
        written = read_regular(path, most_bytes=LARGEST_FILE_BYTES) if size <= LARGEST_FILE_BYTES else ""
    except FileNotFoundError:
        return Alerts(is_absent=True)
    except (OSError, ValueError):
        raise SettingsError(f"{path.name} cannot be read as a text in UTF-8.", advice=_ADVICE) from None
    if size > LARGEST_FILE_BYTES:
        raise SettingsError(f"{path.name} has more than {LARGEST_FILE_BYTES} bytes.", advice=_ADVICE)
    return parse_alerts(written, kinds, name=path.name)


_ADVICE = "mend it, then `threegaps watch check`; docs/server.md describes it."


def parse_alerts(written: str, kinds: Sequence[str], *, name: str = "alerts.yaml") -> Alerts:
    """As `load_alerts`, from the text itself.

    Raises:
        SettingsError: Something in it is wrong.
    """
    try:
        document = yaml.load(written, Loader=_Texts)  # noqa: S506  # a BaseLoader: it makes nothing but texts
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark is not None else ""
        said = str(error) if isinstance(error, _DoubleKeyError) else f"it is not valid YAML{where}"
        raise SettingsError(f"{name}: {said}.", advice=_ADVICE) from None
    reader = _Reader(kinds)
    alerts = reader.document(document)
    if reader.problems:
        raise SettingsError(f"{name}: {'; '.join(reader.problems)}.", advice=_ADVICE)
    return alerts


class _DoubleKeyError(yaml.YAMLError):
    pass


class _Texts(yaml.BaseLoader):
    """All scalars as they are written: 18:00 is no number, and `no` no truth. A key twice is refused."""


def _mapping(loader: _Texts, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _DoubleKeyError(f"line {key.start_mark.line + 1}: a key is no text")
        if key.value in seen:
            raise _DoubleKeyError(f"line {key.start_mark.line + 1}: {_shown(key.value)} stands there twice")
        seen.add(key.value)
    return yaml.BaseLoader.construct_mapping(loader, node, deep=True)


_Texts.add_constructor("tag:yaml.org,2002:map", _mapping)


def _shown(written: Any) -> str:
    """A key or name as it may be shown: what could be a secret by a slip is not."""
    return repr(written) if isinstance(written, str) and re.fullmatch(r"[A-Za-z0-9_.-]{1,40}", written) else "a key"


def _is_variable(written: str) -> bool:
    """Whether *written* can be a variable's name and hardly a token: a long one has its words apart."""
    return bool(_VARIABLE.fullmatch(written)) and ("_" in written or len(written) < 20)


CHANNEL_OPTIONS: Mapping[str, Mapping[str, str]] = {
    "mail": {
        "host": "host",
        "port": "port",
        "security": "security",
        "user": "text",
        "password_variable": "variable",
        "sender": "address",
        "recipients": "addresses",
        "ca_file": "path",
    },
    "webhook": {"url": "url", "url_variable": "variable", "secret_variable": "variable", "ca_file": "path"},
    "dingtalk": {"token_variable": "variable", "secret_variable": "variable", "url": "url", "ca_file": "path"},
    "wecom": {"key_variable": "variable", "form": "form", "url": "url", "ca_file": "path"},
}
"""What a channel of each kind may say, by key, with what reads it."""
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "mail": ("host", "sender", "recipients"),
    "webhook": (),
    "dingtalk": ("token_variable",),
    "wecom": ("key_variable",),
}


class _Reader:
    """Reads the document and keeps all that is wrong with it."""

    def __init__(self, kinds: Sequence[str]) -> None:
        self.problems: list[str] = []
        self._kinds = tuple(kinds)

    def document(self, document: Any) -> Alerts:
        top = self._mapping(
            document,
            "the file",
            ("version", "channels", "routes", "working_hours", "quiet_hours", "digest", "burst", "give_up_after_hours"),
        )
        if top.get("version") != "1":
            self._wrong("version", "is not 1, the only version that is known")
        channels = self._channels(top.get("channels"))
        names = tuple(channel.name for channel in channels)
        routes = tuple(
            self._route(route, f"routes[{number}]", names)
            for number, route in enumerate(self._list(top.get("routes", []), "routes"), 1)
        )
        told = {name for route in routes for name in route.channels}
        digest = self._digest(top.get("digest"), names)
        idle = [name for name in names if name not in told | set(digest.channels if digest else ())]
        for name in idle:
            self._wrong(f"channels.{name}", "is in no route and in no digest: nothing would go there")
        return Alerts(
            channels=channels,
            routes=routes,
            working_hours=WorkingHours(self._span(top.get("working_hours"), "working_hours", WorkingHours().span)),
            quiet=self._quiet(top.get("quiet_hours")),
            digest=digest,
            burst=self._number(top.get("burst", "5"), "burst", 1, 100),
            give_up_after=dt.timedelta(
                hours=self._number(top.get("give_up_after_hours", "24"), "give_up_after_hours", 1, 168)
            ),
        )

    def _wrong(self, where: str, what: str) -> None:
        self.problems.append(f"{where} {what}")

    def _mapping(self, value: Any, where: str, keys: Sequence[str]) -> dict[str, Any]:
        if not isinstance(value, dict):
            self._wrong(where, "is no mapping of keys")
            return {}
        for key in value:
            if key in keys:
                continue
            if key in _SECRET_KEYS:
                self._wrong(
                    f"{where}.{key}",
                    f"is a secret, which is never written here: set {key}_variable to a variable's name",
                )
            else:
                self._wrong(where, f"has the unknown key {_shown(key)}; known are {', '.join(keys)}")
        return {key: found for key, found in value.items() if key in keys}

    def _list(self, value: Any, where: str) -> list[Any]:
        if isinstance(value, list) and len(value) <= 200:
            return value
        self._wrong(where, "is no list (of 200 at most)")
        return []

    def _texts(self, value: Any, where: str, known: Callable[[str], bool], what: str) -> tuple[str, ...]:
        found = self._list([value] if isinstance(value, str) else value, where)
        for one in found:
            if not isinstance(one, str) or not known(one):
                self._wrong(where, f"names {_shown(one)}, which is {what}")
        if not found:
            self._wrong(where, "is empty")
        return tuple(str(one) for one in dict.fromkeys(map(str, found)))

    def _channels(self, value: Any) -> tuple[ChannelSettings, ...]:
        if not isinstance(value, dict) or not value or len(value) > 50:
            self._wrong("channels", "names no channel (or more than 50)")
            return ()
        return tuple(self._channel(name, options) for name, options in value.items())

    def _channel(self, name: str, value: Any) -> ChannelSettings:
        where = f"channels.{name}" if _NAME.fullmatch(name) else "channels"
        if not _NAME.fullmatch(name):
            self._wrong(where, "has a channel whose name is not of letters, digits, _ and -")
        kind: Kind | None = value.get("kind") if isinstance(value, dict) else None
        if not isinstance(kind, str) or kind not in CHANNEL_OPTIONS:
            self._wrong(where, f"has no kind, or an unknown one; known are {', '.join(CHANNEL_OPTIONS)}")
            return ChannelSettings(name, "webhook")
        readers = CHANNEL_OPTIONS[kind]
        options = self._mapping(value, where, ("kind", *readers))
        del options["kind"]
        for key in _NEEDED[kind]:
            if key not in options:
                self._wrong(where, f"lacks {key}")
        read = {key: self._option(readers[key], found, f"{where}.{key}") for key, found in options.items()}
        self._together(kind, read, where)
        return ChannelSettings(name, kind, read)

    def _together(self, kind: str, options: Mapping[str, Any], where: str) -> None:
        """What holds between options."""
        if kind == "mail":
            if ("user" in options) != ("password_variable" in options):
                self._wrong(where, "has only one of user and password_variable")
            if options.get("security") == "none" and not is_loopback(str(options.get("host"))):
                self._wrong(f"{where}.security", "is none, which is for a server on this machine only")
        if kind == "webhook" and ("url" in options) == ("url_variable" in options):
            self._wrong(where, "has to have one of url and url_variable")

    def _option(self, reader: str, value: Any, where: str) -> Any:
        if reader == "addresses":
            return self._texts(value, where, lambda one: problem_of_address(one) is None, "no address of mail")
        if reader == "port":
            return self._number(value, where, 1, 65535)
        if not isinstance(value, str) or not value or len(value) > 500:
            self._wrong(where, "is no text")
            return ""
        if reader == "variable" and not _is_variable(value):
            self._wrong(
                where, "is not the name of an environment variable (A-Z, 0-9, _); a secret is never written here"
            )
        elif reader == "url":
            self._url(value, where)
        elif reader == "address" and problem_of_address(value) is not None:
            self._wrong(where, "is no address of mail")
        elif reader == "host" and not (re.fullmatch(r"[A-Za-z0-9.:-]{1,253}", value) and is_host(value)):
            self._wrong(where, "is no host")
        elif reader == "security" and value not in {"tls", "starttls", "none"}:
            self._wrong(where, "is none of tls, starttls, none")
        elif reader == "form" and value not in {"text", "markdown"}:
            self._wrong(where, "is neither text nor markdown")
        elif reader == "path" and not Path(value).is_absolute():
            self._wrong(where, "is no absolute path")
        return value

    def _url(self, value: str, where: str) -> None:
        problem = problem_of(value)
        if problem is not None:
            self._wrong(where, f"cannot be posted to: {problem}")
        elif _SECRET_PARAMETERS & {name.lower() for name in parse_qs(urlsplit(value).query, keep_blank_values=True)}:
            self._wrong(where, "carries a secret, which is never written here: leave it out, and name its variable")

    def _route(self, value: Any, where: str, names: Sequence[str]) -> Route:
        options = self._mapping(value, where, ("channels", "from_gravity", "departments", "kinds", "hours"))
        gravity, hours = options.get("from_gravity", "warning"), options.get("hours", "always")
        if gravity not in GRAVITIES:
            self._wrong(f"{where}.from_gravity", f"is none of {', '.join(GRAVITIES)}")
        if hours not in HOURS:
            self._wrong(f"{where}.hours", f"is none of {', '.join(HOURS)}")
        return Route(
            channels=self._texts(options.get("channels", []), f"{where}.channels", names.__contains__, "no channel"),
            from_gravity=str(gravity),
            departments=self._texts(
                options["departments"],
                f"{where}.departments",
                lambda one: bool(_DEPARTMENT.fullmatch(one)),
                "no department's code",
            )
            if "departments" in options
            else (),
            kinds=self._texts(
                options["kinds"], f"{where}.kinds", self._kinds.__contains__, f"none of {', '.join(self._kinds)}"
            )
            if "kinds" in options
            else (),
            hours=str(hours),
        )

    def _digest(self, value: Any, names: Sequence[str]) -> Digest | None:
        if value is None:
            return None
        options = self._mapping(value, "digest", ("at", "channels"))
        return Digest(
            self._texts(options.get("channels", []), "digest.channels", names.__contains__, "no channel"),
            self._time(options.get("at", "07:00"), "digest.at"),
        )

    def _quiet(self, value: Any) -> Span | Literal["outside_working_hours", "never"]:
        if value is None or value == "outside_working_hours":
            return "outside_working_hours"
        if value == "never":
            return "never"
        return self._span(value, "quiet_hours", Span(dt.time(22), dt.time(7)))

    def _span(self, value: Any, where: str, usual: Span) -> Span:
        if value is None:
            return usual
        options = self._mapping(value, where, ("from", "to"))
        start, end = (self._time(options.get(key), f"{where}.{key}") for key in ("from", "to"))
        if start == end:
            self._wrong(where, "begins when it ends")
        if where == "working_hours" and start > end:
            self._wrong(where, "goes over midnight")
        return Span(start, end)

    def _time(self, value: Any, where: str) -> dt.time:
        match = _TIME.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            self._wrong(where, "is no time of day, written like 09:00")
            return dt.time(0)
        return dt.time(int(match[1]), int(match[2]))

    def _number(self, value: Any, where: str, least: int, most: int) -> int:
        if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 7:
            number = int(value)
            if least <= number <= most:
                return number
        self._wrong(where, f"is no whole number from {least} to {most}")
        return least


def unset_variables(alerts: Alerts, environment: Mapping[str, str]) -> dict[str, list[str]]:
    """Variables that the channels need and that are not set, by channel."""
    found = {
        channel.name: [name for name in channel.variables if not environment.get(name)] for channel in alerts.channels
    }
    return {name: variables for name, variables in found.items() if variables}


DEFAULT_ADDRESSES: Mapping[str, str] = {"dingtalk": dingtalk.ADDRESS, "wecom": wecom.ADDRESS}
"""Where the robots are, unless the file says otherwise."""
