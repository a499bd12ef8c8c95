"""Options that many commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Feed = Annotated[str | None, typer.Option("--feed", help="Only this feed, written department/name.")]
By = Annotated[str | None, typer.Option("--by", help="Who says so; by default the user of this machine.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1_000_000, help="At most so many rows.")]
