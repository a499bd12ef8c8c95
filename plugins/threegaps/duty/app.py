"""The application of the duty page: who may see it, its pages, its actions, and what is said when something fails."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

import psycopg
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from psycopg import errors
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from threegaps.duty import actions
from threegaps.duty.access import Identify, Viewer
from threegaps.duty.comparing import Comparisons
from threegaps.duty.rendering import Pages
from threegaps.duty.speaking import Speaker
from threegaps.duty.views import ROUTERS
from threegaps.errors import ThreeGapsError, is_warehouse_down, kind_of, of_warehouse
from threegaps.ledger.migrate import NOT_MIGRATED
from threegaps.settings import SHANGHAI, Settings
from threegaps.standards.visible import log_of
from threegaps.translations import in_both
from threegaps.watch import heartbeat, journal

_log = log_of(__name__)
_STATIC = Path(__file__).parent / "static"
# Nothing is loaded from outside, and nobody else's page shows this one.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self';"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


def make_app(settings: Settings, identify: Identify) -> FastAPI:
    """The application.

    Args:
        settings: Of which installation.
        identify: Says who looks; each page and action depends on it, and nothing else is open but style and script.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.state.settings = settings
    app.state.pages = Pages(settings)
    app.state.comparisons = Comparisons(settings.duty_dsn)

    def remember(request: Request, viewer: Viewer = Depends(identify)) -> None:
        request.state.viewer = viewer

    for router in (*ROUTERS, actions.router):
        app.include_router(router, dependencies=[Depends(remember)])
    app.mount("/static", StaticFiles(directory=_STATIC))

    @app.middleware("http")
    async def add_headers(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        # The files' own application changes where the path begins.
        is_static = request.url.path.startswith(f"{request.scope.get('root_path', '')}/static/")
        try:
            if request.method == "POST" and not _is_small(request):
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            response = await answer(request)
        except HTTPException as error:
            response = await run_in_threadpool(_refused, request, error)
        except Exception as error:  # noqa: BLE001  # whatever it is, somebody waits for an answer
            _log.error("the duty page failed: %s", kind_of(error))
            response = await run_in_threadpool(_answer, request, HTTPStatus.INTERNAL_SERVER_ERROR, *_UNEXPECTED)
        response.headers.update({**_HEADERS, "Cache-Control": "no-cache" if is_static else "no-store"})
        return response

    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _not_asked_so)
    app.add_exception_handler(ThreeGapsError, _failed)
    app.add_exception_handler(psycopg.Error, _of_warehouse)
    return app


_SAID = {
    HTTPStatus.UNAUTHORIZED: ("请先登录 Airflow", "Sign in to Airflow first"),
    HTTPStatus.FORBIDDEN: ("没有此项权限", "You may not do this"),
    HTTPStatus.NOT_FOUND: ("没有这一页", "There is no such page"),
}
_OTHERWISE = ("请求有误", "This cannot be asked so")
_UNEXPECTED = ("本页出错,原因见 api-server 的日志", "The page failed; the log of the api-server says why")
_TOO_SLOW = ("数据仓库太忙或被锁,未能及时应答", "The warehouse is busy or locked, and did not answer in time")
_OTHER_VERSION = (
    "台账不是本版本的:请运行 threegaps migrate",
    "The ledger is of another version: run threegaps migrate",
)
_NO_RIGHT = (
    "值班页在数据仓库的权限不是本版本的:请运行 threegaps migrate",
    "The duty page has not the rights of this version at the warehouse: run threegaps migrate",
)
_MOST_BYTES = 65_536
_IN_THE_WAY = (errors.QueryCanceled, errors.LockNotAvailable)


def _answer(request: Request, status: int, zh: str, en: str, **values: Any) -> Response:
    """What is said instead of what was asked for: a page, or to the page's script a text."""
    if request.method != "GET":
        said = Speaker.of(request, dt.datetime.now(SHANGHAI)).say(zh, en)
        return JSONResponse({"said": said}, status_code=status)
    pages: Pages = request.app.state.pages
    unknown = {"detail": ("", ""), "incidents": []}
    return pages.page(request, "error.html", status=status, title=(zh, en), said=status, **{**unknown, **values})


def _is_small(request: Request) -> bool:
    """Whether a request is no larger than what a form holds: it is read before anybody knows whose it is."""
    length = request.headers.get("Content-Length", "")
    return length.isascii() and length.isdigit() and int(length) <= _MOST_BYTES


# No handler is async: what they ask of disks and templates must not hold up others' requests.
def _refused(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.BAD_REQUEST
    return _answer(request, status, *_SAID.get(HTTPStatus(status), _OTHERWISE))


def _not_asked_so(request: Request, _: Exception) -> Response:
    return _answer(request, HTTPStatus.BAD_REQUEST, *_OTHERWISE)


def _failed(request: Request, error: Exception) -> Response:
    said, advice = (error.message, error.advice or "") if isinstance(error, ThreeGapsError) else (str(error), "")
    zh, en = (" ".join(filter(None, parts)) for parts in zip(in_both(said), in_both(advice), strict=True))
    return _answer(request, HTTPStatus.CONFLICT, zh, en)


def _of_warehouse(request: Request, error: Exception) -> Response:
    """While the warehouse is silent, what the watch keeps in its journal is shown: it is the first thing to know."""
    if isinstance(error, psycopg.DataError):
        return _answer(request, HTTPStatus.BAD_REQUEST, *_OTHERWISE)
    if isinstance(error, _IN_THE_WAY):
        return _answer(request, HTTPStatus.SERVICE_UNAVAILABLE, *_TOO_SLOW)
    if isinstance(error, NOT_MIGRATED):
        return _answer(request, HTTPStatus.SERVICE_UNAVAILABLE, *_OTHER_VERSION)
    # A migration gives them with what it makes; one that the server's owner did by hand may not have.
    if isinstance(error, errors.InsufficientPrivilege):
        _log.error("the duty page lacks a right: %s", of_warehouse(error))
        return _answer(request, HTTPStatus.SERVICE_UNAVAILABLE, *_NO_RIGHT)
    if not is_warehouse_down(error):
        _log.error("the duty page failed: %s", of_warehouse(error))
        return _answer(request, HTTPStatus.INTERNAL_SERVER_ERROR, *_UNEXPECTED)
    settings: Settings = request.app.state.settings
    return _answer(
        request,
        HTTPStatus.SERVICE_UNAVAILABLE,
        "数据仓库没有应答",
        "The warehouse does not answer",
        detail=in_both(of_warehouse(error)),
        incidents=journal.load(heartbeat.watch_folder(settings)).open,
    )
