"""Channels from what alerts.yaml says of them; their secrets come from the environment."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from threegaps.watch.alerts import DEFAULT_ADDRESSES, Alerts, ChannelSettings
from threegaps.watch.channels.dingtalk import DingTalk
from threegaps.watch.channels.mail import Mail
from threegaps.watch.channels.posting import Target, problem_of
from threegaps.watch.channels.webhook import Webhook
from threegaps.watch.channels.wecom import WeCom
from threegaps.watch.message import Channel, ChannelError, Message

_PORTS: Mapping[str, int] = {"tls": 465, "starttls": 587, "none": 25}


@dataclass(frozen=True, slots=True)
class Unusable:
    """A channel that lacks something of its settings: its messages wait until somebody has mended that."""

    name: str
    reason: str
    recipients: tuple[str, ...] = ()

    def only(self, recipients: Collection[str]) -> Unusable:
        """See `Channel.only`."""
        return replace(self, recipients=tuple(one for one in self.recipients if one in recipients))

    def send(self, message: Message) -> None:
        """Nothing is sent; see `Channel.send`."""
        raise ChannelError(self.reason, concerns="channel")


def make_channels(alerts: Alerts, environment: Mapping[str, str]) -> dict[str, Channel]:
    """All channels of *alerts* by their names."""
    return {settings.name: make_channel(settings, environment) for settings in alerts.channels}


def make_channel(settings: ChannelSettings, environment: Mapping[str, str]) -> Channel:
    """One channel; an `Unusable` one where a variable is not set."""
    options = settings.options
    # Who was put off is still to get it once the variable is set.
    recipients = tuple(options.get("recipients", ()))
    unset = [name for name in settings.variables if not environment.get(name)]
    if unset:
        return Unusable(settings.name, f"The environment variable {', '.join(unset)} is not set.", recipients)
    secrets: dict[str, str | None] = {
        key.removesuffix("_variable"): environment[str(name)]
        for key, name in options.items()
        if key.endswith("_variable")
    }
    ca_file = Path(str(options["ca_file"])) if "ca_file" in options else None
    if settings.kind == "mail":
        return _mail(settings, options, secrets.get("password"), ca_file)
    url = secrets.get("url") or str(options.get("url") or DEFAULT_ADDRESSES.get(settings.kind, ""))
    problem = problem_of(url)
    if problem is not None:
        return Unusable(settings.name, f"Its address cannot be posted to: {problem}.")
    target = Target(url, ca_file)
    if settings.kind == "dingtalk":
        return DingTalk(settings.name, secrets["token"] or "", secrets.get("secret"), target)
    if settings.kind == "wecom":
        return WeCom(settings.name, secrets["key"] or "", options.get("form", "markdown"), target)
    return Webhook(settings.name, target, secrets.get("secret"))


def _mail(settings: ChannelSettings, options: Mapping[str, Any], password: str | None, ca_file: Path | None) -> Mail:
    security = options.get("security", "tls")
    return Mail(
        settings.name,
        str(options["host"]),
        int(options.get("port", _PORTS[security])),
        security,
        str(options["sender"]),
        tuple(options["recipients"]),
        options.get("user"),
        password,
        ca_file,
    )
