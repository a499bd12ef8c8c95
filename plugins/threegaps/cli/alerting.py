"""Commands about who is told: whether alerts.yaml is right, and whether a message arrives."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

import typer

from threegaps.cli.options import Json
from threegaps.settings import SHANGHAI, Settings


def check(json_: Json = False) -> None:
    """Say whether alerts.yaml is right, and who is told what, when; nothing is sent."""
    from threegaps.cli.output import console, print_json, print_rows
    from threegaps.labels import INCIDENT_KINDS
    from threegaps.watch.alerts import alerts_path, load_alerts, unset_variables

    settings = Settings.load()
    alerts = load_alerts(alerts_path(settings), list(INCIDENT_KINDS))
    unset = unset_variables(alerts, settings.environment)
    routes = [_route(route) for route in alerts.routes]
    channels = [
        {"channel": channel.name, "kind": channel.kind, "lacks": ", ".join(unset.get(channel.name, []))}
        for channel in alerts.channels
    ]
    if json_:
        print_json({"is_absent": alerts.is_absent, "channels": channels, "routes": routes})
    elif alerts.is_absent:
        console.print("There is no alerts.yaml: nobody is told anything.")
    else:
        print_rows(channels, title="Channels")
        console.print()
        print_rows(routes, title="Routes")
    if alerts.is_absent or unset:
        raise typer.Exit(1)


def send_test_message(
    channel: Annotated[str | None, typer.Option("--channel", help="Through this channel of alerts.yaml only.")] = None,
    json_: Json = False,
) -> None:
    """Send a test message through all channels, or one, at once; the answer of each is shown."""
    from threegaps.cli.output import print_json, print_rows
    from threegaps.errors import SettingsError
    from threegaps.labels import INCIDENT_KINDS
    from threegaps.watch.alerts import alerts_path, load_alerts
    from threegaps.watch.channels.making import make_channels
    from threegaps.watch.message import ChannelError

    settings = Settings.load()
    alerts = load_alerts(alerts_path(settings), list(INCIDENT_KINDS))
    if not alerts.channels:
        raise SettingsError("There is no alerts.yaml: there is nothing to send through.", advice="see docs/server.md.")
    chosen = [alerts.channel(channel)] if channel is not None else list(alerts.channels)
    made = make_channels(alerts, settings.environment)
    answers: list[dict[str, Any]] = []
    for one in chosen:
        said = "taken"
        try:
            made[one.name].send(_test_message(settings))
        except ChannelError as error:
            said = error.message
        answers.append({"channel": one.name, "kind": one.kind, "answer": said})
    if json_:
        print_json(answers)
    else:
        print_rows(answers, title="Test message")
    if any(answer["answer"] != "taken" for answer in answers):
        raise typer.Exit(1)


def _test_message(settings: Settings) -> Any:
    import secrets

    from threegaps.standards.moments import clock
    from threegaps.watch.message import SYNTHETIC_MARK, Message

    now = clock(dt.datetime.now(SHANGHAI))
    mark = SYNTHETIC_MARK if settings.is_sandbox else ""
    return Message(
        message_id=f"test-{secrets.token_hex(12)}@threegaps",
        incident_id=None,
        change="test",
        gravity="notice",
        subject=f"{mark}[测试 test] ThreeGaps 告警渠道 · alerts channel",
        text=f"这是一条测试消息,{now} 发出,无需处理。\nThis is a test message of {now}: there is nothing to do.",
        content={"sent_at": now},
    )


def _route(route: Any) -> dict[str, Any]:
    return {
        "channels": ", ".join(route.channels),
        "from_gravity": route.from_gravity,
        "departments": ", ".join(route.departments) or "all",
        "kinds": ", ".join(route.kinds) or "all",
        "hours": route.hours,
    }


def has_no_channel(settings: Settings) -> bool:
    """Whether there is nothing to tell anybody through; of a file that is wrong `untold` says more."""
    from threegaps.errors import SettingsError
    from threegaps.labels import INCIDENT_KINDS
    from threegaps.watch.alerts import alerts_path, load_alerts

    try:
        return not load_alerts(alerts_path(settings), list(INCIDENT_KINDS)).channels
    except SettingsError:
        return False


def untold(settings: Settings, connection: Any) -> list[str]:
    """Why people are not told as meant: a file that is wrong, a channel that refuses.

    That there is no file is for `has_no_channel` to say; what the watch's environment lacks only the watch knows, whose
    page says it.

    Args:
        connection: The warehouse.
    """
    from threegaps.errors import SettingsError
    from threegaps.labels import INCIDENT_KINDS
    from threegaps.watch.alerts import alerts_path, load_alerts
    from threegaps.watch.sending import channels_seen

    try:
        alerts = load_alerts(alerts_path(settings), list(INCIDENT_KINDS))
    except SettingsError as error:
        return [error.message]
    seen = channels_seen(connection, alerts)
    return [
        *(f"channel {channel.name} refuses messages: {channel.words_en}" for channel in seen if channel.is_refused),
        *(
            f"channel {channel.name} takes messages, but refused {channel.refused_messages}: {channel.refused_cause}"
            for channel in seen
            if channel.refused_messages and not channel.is_refused
        ),
    ]
