"""Commands for the logins of those who read: BI tools, county officers, statisticians."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from threegaps.cli.options import Json
from threegaps.settings import Settings

if TYPE_CHECKING:
    from threegaps.access.restoring import Reader

_SEES = {
    "bi": "所有发布的指标 all released indicators",
    "county": "本县各行与公开数 the own county's rows and what is public",
    "statistician": "所有发布的指标及精确值,语句记入日志 exact values, too; what is asked is logged",
    "duty": "值班页所显示的 what the duty page shows",
}

Login = Annotated[str, typer.Argument(help="Name of the login 登录名, see `threegaps reader list`.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module to *app*."""
    group = typer.Typer(
        no_args_is_help=True, help="Logins of those who read 读者登录: BI tools, counties, statisticians."
    )
    group.command("add")(add)
    group.command("list")(list_readers)
    group.command("renew")(renew)
    group.command("remove")(remove)
    app.add_typer(group, name="reader")


def add(
    login: Annotated[str, typer.Argument(help="Name of the login 登录名: small letters, digits, underscores.")],
    county: Annotated[
        str | None,
        typer.Option("--county", help="An officer of this county 县级人员: its code or name, like 330102."),
    ] = None,
    statistician: Annotated[
        bool, typer.Option("--statistician", help="Sees exact values 统计人员; what is asked is logged.")
    ] = False,
    json_: Json = False,
) -> None:
    """Make a login for a BI tool, or for a county's officer or a statistician 新建读者; its password is shown once."""
    from threegaps.access import logins
    from threegaps.access.kinds import Kind
    from threegaps.cli import named
    from threegaps.errors import SettingsError
    from threegaps.standards.areas import is_division

    if county is not None and statistician:
        raise SettingsError(
            "A login is an officer's or a statistician's, not both.", advice="make two logins, one for each."
        )
    settings = Settings.load()
    if county is not None and not is_division(county):
        # By its name, where a release has brought the names.
        if not county.isascii() or not county.isdigit():
            county = named.area(settings, county) or county
        if not is_division(county):
            raise SettingsError(
                f"{county} is no county's code in force.", advice="`threegaps areas` lists the counties."
            )
    kind: Kind = "statistician" if statistician else "county" if county else "bi"
    password = logins.add(settings.warehouse_dsn(), login, kind, county_code=county)
    _show_password(settings, login, password, json_=json_, kind=kind, county_code=county)


def list_readers(json_: Json = False) -> None:
    """Logins of readers, what they see, and their sessions now 读者一览."""
    from threegaps.access import logins
    from threegaps.cli.output import answer

    rows = []
    for reader in logins.listed(Settings.load().warehouse_dsn()):
        row = {
            "login": reader.login,
            "kind": reader.kind,
            "county_code": reader.county_code,
            "most_connections": reader.most_connections,
            "connections": reader.connections,
            "restored_at": reader.restored_at,
        }
        differs: dict[str, Any] = {"changed_settings": reader.changed_settings, "password": reader.credential}
        rows.append({**row, **(differs if json_ else {"state": _state(reader), "sees": _SEES[reader.kind]})})
    answer(rows, as_json=json_)


def renew(login: Login, json_: Json = False) -> None:
    """Give a reader a new password, and its settings and limits back 换口令,恢复设置; end its sessions.

    The password is shown once.
    """
    from threegaps.access import logins
    from threegaps.errors import AccessError
    from threegaps.settings import DUTY_ENTRY, DUTY_LOGIN, OWN_READER, OWN_READER_ENTRY

    settings = Settings.load()
    if login == DUTY_LOGIN and not settings.has_own_services:
        raise AccessError(
            f"{login} is the duty page's own login.",
            advice="give it another password in THREEGAPS_DUTY_PASSWORD, run `threegaps migrate`, and start the API"
            " server again.",
        )
    password = logins.renew(settings.warehouse_dsn(), login)
    entry = {OWN_READER: OWN_READER_ENTRY, DUTY_LOGIN: DUTY_ENTRY}.get(login)
    if settings.has_own_services and entry is not None:
        settings.replace_secret(entry, password)
    _show_password(settings, login, password, json_=json_)


def remove(login: Login, json_: Json = False) -> None:
    """Remove a reader's login and end its sessions 删除读者."""
    from threegaps.access import logins
    from threegaps.cli.output import console, print_json
    from threegaps.errors import AccessError
    from threegaps.settings import DUTY_LOGIN, OWN_READER

    settings = Settings.load()
    if login == DUTY_LOGIN or (login == OWN_READER and settings.has_own_services):
        raise AccessError(
            f"{login} is the installation's own login: it would be made again.",
            advice="`threegaps reader renew` gives it another password.",
        )
    logins.remove(settings.warehouse_dsn(), login)
    if json_:
        print_json({"removed": login})
    else:
        console.print(f"已删除,其会话已结束 Removed, and its sessions have ended: {login}", markup=False)


def _state(reader: Reader) -> str:
    """How a login differs from what it was given, in both languages."""
    parts = []
    if reader.credential == "other":
        parts.append("口令非本系统所给 password not the one given")
    if reader.credential == "unknown":
        parts.append("口令无从核对 password cannot be compared")
    if reader.changed_settings:
        parts.append(f"设置已改{reader.changed_settings}项 settings changed: {reader.changed_settings}")
    if reader.most_connections < 0:
        parts.append("会话数不限 any number of sessions")
    return "; ".join(parts) or "如所给 as given"


def _show_password(settings: Settings, login: str, password: str, *, json_: bool, **said: Any) -> None:
    from threegaps.cli.output import console, print_json
    from threegaps.settings import WAREHOUSE_DATABASE

    address = settings.reader_address()
    if json_:
        where = {"address": address, "database": WAREHOUSE_DATABASE, "login": login, "password": password}
        print_json({**where, **said})
        return
    sees = _SEES.get(str(said.get("kind")))
    county = f" ({said['county_code']})" if said.get("county_code") else ""
    lines = (
        f"地址 address    {address}  库 database {WAREHOUSE_DATABASE}",
        f"登录名 login    {login}",
        f"口令 password   {password}",
        "                口令只显示这一次,请经商定的安全渠道交付 shown this once: hand it over by a safe channel",
        *([f"可见 sees       {sees}{county}"] if sees else []),
    )
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)
