"""Pages from templates: all that was received is escaped, and stands there as text that does nothing."""

from __future__ import annotations

import datetime as dt
import re
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context, select_autoescape
from jinja2.runtime import Context
from markupsafe import Markup, escape

from threegaps import labels
from threegaps.duty import charts
from threegaps.duty.mounting import PREFIX
from threegaps.duty.speaking import Speaker
from threegaps.ledger.expected import tone_of
from threegaps.settings import SHANGHAI, Settings
from threegaps.standards.visible import one_line

MOST_LISTED = 200
"""So many rows a table shows; below it stands how many more there are, and what lists them."""
MOST_CHARACTERS = 1_000
"""So much of a text is shown: somebody's reason may be long, and a page is no place for a megabyte."""
MOST_OF_PAGE = 4_000_000
"""A page of more characters than that is not sent: it says so instead."""
_TOO_LARGE = (
    "本页过大,无法显示:请用命令查看,见 threegaps status --all",
    "The page is too large to be shown: ask by command, see threegaps status --all",
)

_CODE = re.compile("`([^`\n]+)`")


@pass_context
def _shown(context: Context, value: Any) -> Any:
    """What a template puts out: a dash for nothing, and of a text that was received no more than a page can hold."""
    if value is None:
        return "–"
    # What is markup was made here.
    if type(value) is not str or len(value) <= MOST_CHARACTERS:
        return value
    left = len(value) - MOST_CHARACTERS
    return value[:MOST_CHARACTERS] + context["s"].say(f"… 另有{left:,}个字符", f"… {left:,} more characters")


@pass_context
def _with_code(context: Context, text: str) -> Markup:
    """The same of *text*, with what stands between backticks as code."""
    shown = str(escape(_shown(context, text)))
    return Markup(_CODE.sub(r"<code>\1</code>", shown))  # noqa: S704  # it was escaped just before


class Pages:
    """The templates of the duty page.

    Args:
        settings: Whether the departments are the sandbox's, which every page says.
    """

    def __init__(self, settings: Settings) -> None:
        self._is_synthetic = settings.is_sandbox
        self._templates = Environment(
            loader=PackageLoader("threegaps.duty"),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            # As long as the process stays, so does what it was made with.
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_shown,
        )
        self._templates.globals.update(
            labels=labels, sparkline=charts.sparkline, tone_of=tone_of, most_listed=MOST_LISTED
        )
        self._templates.filters["with_code"] = _with_code
        self._templates.filters["one_line"] = lambda text: one_line(text or "")

    def page(self, request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """A page of *template*.

        Args:
            request: Whose language it is in, and below which address.
            template: The file's name.
            status: Of HTTP.
            values: What the template names.
        """
        root = str(request.scope.get("root_path", ""))

        def rendered(template: str, **values: Any) -> str:
            return self._templates.get_template(template).render(
                s=Speaker.of(request, dt.datetime.now(SHANGHAI)),
                root=root,
                airflow=root.removesuffix(PREFIX),
                viewer=getattr(request.state, "viewer", None),
                is_synthetic=self._is_synthetic,
                **values,
            )

        text = rendered(template, **values)
        if len(text) > MOST_OF_PAGE:
            status = HTTPStatus.SERVICE_UNAVAILABLE
            text = rendered("error.html", title=_TOO_LARGE, said=status, detail=("", ""), incidents=[])
        return HTMLResponse(text, status_code=status)
