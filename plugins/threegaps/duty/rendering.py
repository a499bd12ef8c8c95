"""Pages from templates: all that was received is escaped, and stands there as text that does nothing."""

from __future__ import annotations

import datetime as dt
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from threegaps import labels
from threegaps.duty import charts
from threegaps.duty.mounting import PREFIX
from threegaps.duty.speaking import Speaker
from threegaps.ledger.expected import tone_of
from threegaps.settings import SHANGHAI, Settings
from threegaps.standards.visible import one_line, visible


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
        )
        self._templates.globals.update(labels=labels, sparkline=charts.sparkline, tone_of=tone_of)
        self._templates.filters["visible"] = visible
        self._templates.filters["one_line"] = one_line

    def page(self, request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """A page of *template*.

        Args:
            request: Whose language it is in, and below which address.
            template: The file's name.
            status: Of HTTP.
            values: What the template names.
        """
        root = str(request.scope.get("root_path", ""))
        text = self._templates.get_template(template).render(
            s=Speaker.of(request, dt.datetime.now(SHANGHAI)),
            root=root,
            airflow=root.removesuffix(PREFIX),
            viewer=getattr(request.state, "viewer", None),
            is_synthetic=self._is_synthetic,
            **values,
        )
        return HTMLResponse(text, status_code=status)
