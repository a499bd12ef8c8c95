"""A headless Chromium for tests: opens pages, looks at what they show, and clicks as a person would."""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from websockets.sync.client import connect

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def chromium() -> str:
    """Where the browser is; ``THREEGAPS_CHROMIUM`` names another one.

    Raises:
        LookupError: There is none.
    """
    found = os.environ.get("THREEGAPS_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        raise LookupError("These tests need Chromium: install it, or say where it is with THREEGAPS_CHROMIUM.")
    return found


class Browser:
    """One browser with one page, of a profile of its own.

    Args:
        width: Of the page, in pixels; a narrow one is a telephone.
    """

    def __init__(self, *, width: int = 1280, height: int = 900) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="threegaps-browser-", ignore_cleanup_errors=True)
        self._process = subprocess.Popen(
            [
                *[chromium(), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
                *["--no-first-run", "--disable-background-networking", "--remote-debugging-port=0"],
                *[f"--user-data-dir={self._folder.name}", "about:blank"],
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        port = self.until(self._port)
        pages = self.until(lambda: self._pages(port))
        self._page = connect(pages[0]["webSocketDebuggerUrl"], max_size=None, open_timeout=60)
        self._numbers = itertools.count(1)
        self._document = "document"
        self.complaints: list[str] = []
        """What the page's console has said against something: scripts that fail, what the policy has refused."""
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        self.send("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(self.downloads))
        self.resize(width, height)

    @property
    def downloads(self) -> Path:
        """Where what is downloaded lands."""
        return Path(self._folder.name)

    def _port(self) -> int | None:
        file = Path(self._folder.name) / "DevToolsActivePort"
        return int(file.read_text().split()[0]) if file.is_file() and file.read_text().strip() else None

    @staticmethod
    def _pages(port: int) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=30) as answer:
            return [one for one in json.load(answer) if one["type"] == "page"]

    def close(self) -> None:
        """End it."""
        self._page.close()
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the browser's protocol, and what it answers."""
        number = next(self._numbers)
        self._page.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            said = json.loads(self._page.recv(timeout=120))
            if said.get("id") == number:
                if "error" in said:
                    raise AssertionError(f"{method}: {said['error']}")
                return dict(said["result"])
            self._hear(said)

    def _hear(self, said: dict[str, Any]) -> None:
        if said.get("method") == "Log.entryAdded" and said["params"]["entry"]["level"] == "error":
            entry = said["params"]["entry"]
            self.complaints.append(f"{entry['text']} {entry.get('url', '')}")
        elif said.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(str(said["params"]["exceptionDetails"].get("exception", said["params"])))

    def resize(self, width: int, height: int = 900) -> None:
        """Make the page so large."""
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    def set_cookie(self, address: str, name: str, value: str) -> None:
        """Keep a cookie, as if *address* had set it."""
        self.send("Network.setCookie", url=address, name=name, value=value)

    def at_start(self, script: str) -> None:
        """Run *script* in every page before its own scripts."""
        self.send("Page.addScriptToEvaluateOnNewDocument", source=script)

    def open(self, address: str) -> None:
        """Open a page, until it is there."""
        self.leave_frame()
        self.send("Page.navigate", url=address)
        self.until(lambda: self.ask("document.readyState") == "complete")

    def enter_frame(self) -> None:
        """Look at what the page's one frame shows from now on, once it is there; of the same origin as the page."""
        self._document = "document.querySelector('iframe')?.contentDocument"
        self.until(
            lambda: self.ask(f"{self._document}?.readyState === 'complete' && !!{self._document}.body.innerText")
        )

    def leave_frame(self) -> None:
        """Look at the page itself again."""
        self._document = "document"

    @property
    def address(self) -> str:
        """Where what is looked at lies."""
        return str(self.ask(f"{self._document}?.location.href"))

    def ask(self, expression: str) -> Any:
        """What a JavaScript expression is on the page; None while it is changing."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        return answer["result"].get("value")

    def text(self, selector: str) -> list[str]:
        """The texts of all elements that a selector finds."""
        return self.all_of(selector, "one.innerText.trim()")

    def all_of(self, selector: str, expression: str) -> list[Any]:
        """What an expression says of each element, ``one``, that a selector finds."""
        found = f"{self._document}?.querySelectorAll({json.dumps(selector)}) ?? []"
        return list(self.ask(f"[...({found})].map((one) => {expression})") or [])

    def click(self, selector: str) -> None:
        """Click the first element that a selector finds, once it is there."""
        found = f"{self._document}?.querySelector({json.dumps(selector)})"
        self.until(lambda: self.ask(f"(() => {{ const one = {found}; one?.click(); return !!one; }})()"))

    def fill(self, selector: str, value: str) -> None:
        """Write into a field."""
        field = f"{self._document}?.querySelector({json.dumps(selector)})"
        assert self.ask(f"Object.assign({field}, {{ value: {json.dumps(value)} }}).value") == value, selector

    def until_gone(self, selector: str) -> None:
        """Wait for a whole page that has nothing that a selector finds, asked at once: pages change in between."""
        page = self._document
        whole = f"{page}?.readyState === 'complete' && !!{page}.body.innerText.trim()"
        self.until(lambda: self.ask(f"{whole} && !{page}.querySelector({json.dumps(selector)})"))

    def until(self, condition: Callable[[], Any], *, seconds: float = 120) -> Any:
        """What *condition* comes to, once it is something."""
        until = time.monotonic() + seconds
        while True:
            try:
                if found := condition():
                    return found
            except (OSError, KeyError):
                pass
            if time.monotonic() > until:
                raise AssertionError(f"it did not come about within {seconds:.0f} seconds")
            time.sleep(0.1)

    def picture(self, path: Path, *, most_height: int = 2400) -> None:
        """Keep a picture of the whole page, as wide as it is now."""
        width, height = self.ask("[innerWidth, document.documentElement.scrollHeight]")
        self.resize(width, min(int(height), most_height))
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"]))
