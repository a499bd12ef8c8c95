"""Who may look at the duty page and who may act on it: as Airflow's own rights say, whichever keeps them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import Depends, HTTPException, Request

OWN_HEADER = "X-ThreeGaps-Duty"
"""No form and no page of another site can send it."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks.

    Args:
        name: The login, which stands by what is done.
        may_write: Whether this one may change DAGs: acknowledges, assigns, resolves, accepts.
    """

    name: str
    may_write: bool


Identify = Callable[..., Viewer]
"""A dependency of FastAPI: who looks; raises 401 without a session, 403 without the right."""


def of_airflow() -> Identify:
    """Identify by Airflow's session and its rights: the website's to look, those to change DAGs to act."""
    from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
    from airflow.api_fastapi.core_api.security import get_user, requires_access_dag, requires_access_view

    # "~" is every DAG: an address that names one would else be enough for whoever may change only that one.
    look, change = requires_access_view(AccessView.WEBSITE), requires_access_dag("PUT", param_dag_id="~")

    def identify(request: Request, user: Any = Depends(get_user)) -> Viewer:
        look(request, user)
        try:
            change(request, user)
        except HTTPException as error:
            if error.status_code != HTTPStatus.FORBIDDEN:
                raise
            return Viewer(str(user.get_name()), may_write=False)
        return Viewer(str(user.get_name()), may_write=True)

    return identify


def viewer_of(request: Request) -> Viewer:
    """Who looks, as the application has found out before the page is made."""
    viewer: Viewer = request.state.viewer
    return viewer


def writer_of(request: Request) -> Viewer:
    """Who acts.

    Raises:
        HTTPException: 403: without the right, or not asked for by the page itself.
    """
    viewer = viewer_of(request)
    if not viewer.may_write:
        raise HTTPException(HTTPStatus.FORBIDDEN)
    # Another site's form would come with the session's cookie, but neither with the header nor from the same origin.
    if OWN_HEADER not in request.headers or request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise HTTPException(HTTPStatus.FORBIDDEN)
    return viewer
