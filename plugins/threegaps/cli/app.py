"""The command line `threegaps`. Commands import what they need when they run, so that `--help` answers at once."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Annotated, Literal

import typer

from threegaps import translations
from threegaps.cli import batches, check, feeds, incidents, purging, quarantine, readers, releases, sandbox, services
from threegaps.cli.spoken import Spoken
from threegaps.cli.streams import guard_streams
from threegaps.errors import SettingsError, ThreeGapsError, UnexpectedError, is_warehouse_down, kind_of
from threegaps.standards import visible
from threegaps.translations import OPTION

app = typer.Typer(
    name="threegaps",
    cls=Spoken,
    help="ThreeGaps: from departments' feeds to released indicators of 技能促富助力缩小三大差距.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
services.register(app)
feeds.register(app)
check.register(app)
quarantine.register(app)
batches.register(app)
purging.register(app)
incidents.register(app)
releases.register(app)
readers.register(app)
sandbox.register(app)


@app.callback()
def _everything(
    home: Annotated[str | None, typer.Option("--home", help="Runtime home; by default .threegaps here.")] = None,
    _lang: Annotated[
        Literal["zh", "en", "both"] | None,
        typer.Option(
            OPTION,
            case_sensitive=False,
            help="Language of help, tables and errors; by default Chinese in a Chinese locale, else both.",
        ),
    ] = None,
) -> None:
    if home:
        os.environ["THREEGAPS_HOME"] = home


def main() -> None:
    """Entry point; an error that a user can act upon is said in one message, with advice."""
    guard_streams()
    try:
        app(standalone_mode=True)
    except ThreeGapsError as error:
        _fail(error)
    except KeyboardInterrupt:
        sys.exit(130)
    except UnicodeEncodeError:
        # Bytes of the command line that are no text come as halves of characters, which no service takes.
        _fail(SettingsError("Something that was given is no text in UTF-8.", advice="type it again, by hand."))
    except OSError as error:
        file = f": {error.filename}" if error.strerror and error.filename else ""
        _fail(ThreeGapsError(f"{type(error).__name__}: {error.strerror or kind_of(error)}{file}"))
    except Exception as error:  # noqa: BLE001  # its own words may quote rows; where it came up is ours
        if not is_warehouse_down(error):
            visible.say("".join(traceback.format_tb(error.__traceback__)).rstrip(), is_error=True)
        _fail(UnexpectedError.of(error))


def _fail(error: ThreeGapsError) -> None:
    from threegaps.cli.output import errors, print_json

    if "--json" in sys.argv:
        print_json({"error": error.message, "where": error.where, "advice": error.advice})
        translations.use(translations.asked(sys.argv[1:], os.environ))
    where = f"[{visible.one_line(error.where)}] " if error.where else ""
    errors.print(f"error: {where}{error.message}", style="red", soft_wrap=True)
    if error.advice:
        errors.print(f"what to do: {error.advice}", soft_wrap=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
