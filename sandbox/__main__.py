"""Command line: python -m sandbox COMMAND.

generate | settings | load-database | advance | upcoming | last-deliveries | serve
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import quote

from sandbox.parameters import DEFAULT_SCALE


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="Synthetic departments (合成数据).")
    commands = parser.add_subparsers(dest="command", required=True)
    generate = commands.add_parser("generate", help="write everything to --home; the same parameters again are a no-op")
    generate.add_argument("--home", type=Path, required=True)
    generate.add_argument("--scale", type=float, default=DEFAULT_SCALE, help="1 = the province, 39 million employed")
    generate.add_argument("--seed", type=int, default=20250527)
    generate.add_argument("--dirt", type=float, default=0.02, help="share of dirty rows")
    generate.add_argument("--rows-per-part", type=int, default=8_000)
    generate.add_argument("--truth", action="store_true", help="the true indicator values too: tests compare with them")
    settings = commands.add_parser("settings", help="print the lines of .env that reach the two servers")
    settings.add_argument("--home", type=Path, required=True)
    load = commands.add_parser("load-database", help="fill a department's database")
    load.add_argument("--home", type=Path, required=True)
    load.add_argument("--dsn", required=True)
    load.add_argument("--department", required=True, help="whose tables")
    load.add_argument("--as-of", default=None, help="YYYY-MM-DD HH:MM:SS, Shanghai")
    advance = commands.add_parser("advance", help="let the departments deliver what falls due until a day")
    upcoming = commands.add_parser("upcoming", help="say what `advance` would deliver until a day")
    for command in (advance, upcoming):
        command.add_argument("--home", type=Path, required=True)
        until = command.add_mutually_exclusive_group(required=True)
        until.add_argument("--to", type=date.fromisoformat, help="YYYY-MM-DD")
        until.add_argument("--days", type=int, help="so many days after the sandbox's day")
    commands.add_parser("last-deliveries", help="say what the last delivery is that each feed of files ever sends")
    serve = commands.add_parser("serve", help="HTTP gateway and SFTP server in one process")
    serve.add_argument("--home", type=Path, required=True)
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on; in a container 0.0.0.0")
    serve.add_argument("--http-port", type=int, default=0)
    serve.add_argument("--sftp-port", type=int, default=0)
    options = parser.parse_args(arguments)
    if options.command == "generate":
        return _generate(options)
    if options.command == "settings":
        return _settings(options)
    if options.command == "load-database":
        from sandbox import database

        print(json.dumps(database.load(options.home, options.dsn, options.department, options.as_of)))
        return 0
    if options.command in {"advance", "upcoming"}:
        return _advance(options)
    if options.command == "last-deliveries":
        return _last_deliveries()
    return _serve(options)


def _generate(options: argparse.Namespace) -> int:
    from sandbox.generate import run
    from sandbox.parameters import Parameters

    parameters = Parameters(options.scale, options.seed, options.dirt, options.rows_per_part, options.truth)
    changed = run(options.home, parameters)
    print(json.dumps({"generated": changed, "home": str(options.home)}))
    return 0


def _settings(options: argparse.Namespace) -> int:
    application = json.loads((options.home / "credentials.json").read_text("utf-8"))
    kind, key = (options.home / "keys" / "host_key.pub").read_text("ascii").split()[:2]
    print(f"SANDBOX_APPLICATION_ID={application['app_id']}")
    print(f"SANDBOX_APPLICATION_SECRET={application['app_secret']}")
    # It stands in an address: only its letters and digits may stay as they are.
    print(f"SANDBOX_HOST_KEY={quote(f'{kind} {key}', safe='')}")
    return 0


def _advance(options: argparse.Namespace) -> int:
    from sandbox import clock
    from sandbox.advance import advance, upcoming

    before = clock.today(options.home)
    day = options.to or before + timedelta(days=options.days)
    move = advance if options.command == "advance" else upcoming
    try:
        moved = move(options.home, day)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps({"from": f"{before}", "day": f"{day}", "deliveries": moved}, ensure_ascii=False))
    return 0


def _last_deliveries() -> int:
    from sandbox.calendar import HORIZON
    from sandbox.sending import last_deliveries

    print(json.dumps({"horizon": f"{HORIZON}", "last_deliveries": last_deliveries(HORIZON)}))
    return 0


def _serve(options: argparse.Namespace) -> int:
    from sandbox.servers import http_gateway, sftp
    from sandbox.servers.faults import Faults

    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    faults = Faults()
    gateway = http_gateway.start(options.home, options.http_port, faults, host=options.host)
    files = sftp.start(options.home, options.sftp_port, faults, host=options.host)
    line = json.dumps({"http_port": gateway.port, "sftp_port": files.port})
    (options.home / "serving.json").write_text(line + "\n", "ascii")
    print(line, flush=True)
    ended.wait()
    gateway.stop()
    files.stop()
    (options.home / "serving.json").unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
