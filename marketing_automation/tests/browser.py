"""A real browser that is driven by what a person has: an address and a keyboard."""

import base64
import json
from contextlib import contextmanager
from urllib.parse import urljoin

from odoo.tests.common import ChromeBrowser

# The last thing a page of the website fetches by itself.
SETTLED = """performance.getEntriesByType("resource").some(
    (entry) => entry.name.includes("/website/translations"))"""
# Pictures come in after that. A request that is answered while the test itself asks the
# database, over the connection they share, would find the other's rows.
IS_QUIET = """new Promise((resolve) => {
    let before = -1;
    const timer = setInterval(() => {
        const now = performance.getEntriesByType("resource").length;
        if (now === before) {
            clearInterval(timer);
            resolve(true);
        }
        before = now;
    }, 400);
})"""
# Keys as the DevTools protocol wants them: code, Windows key code, text.
KEYS = {
    "Tab": ("Tab", 9, ""),
    "Backspace": ("Backspace", 8, ""),
    "Enter": ("Enter", 13, "\r"),
    " ": ("Space", 32, " "),
    "ArrowDown": ("ArrowDown", 40, ""),
}
SHIFT = 8


class Browser:
    """One page of a browser with a session of its own.

    :param case: ``HttpCase`` whose server it asks
    :param chrome: Odoo's ``ChromeBrowser``
    :param bool has_scripts: whether pages may run theirs
    """

    def __init__(self, case, chrome, has_scripts):
        self._case = case
        self._chrome = chrome
        self._has_scripts = has_scripts
        if not has_scripts:
            self._send("Emulation.setScriptExecutionDisabled", value=True)

    def open(self, path, width=1280):
        """Open an address in a window of this width (pixels), and wait for it."""
        self.resize(width)
        self.go(path, SETTLED if self._has_scripts else "true")
        if self._has_scripts:
            self.evaluate(IS_QUIET)

    def resize(self, width):
        """Make the window as wide as this (pixels)."""
        self._send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=800,
            deviceScaleFactor=1,
            mobile=False,
        )

    def go(self, path, ready):
        """Open an address, and wait until a script comes to something true."""
        self._chrome.navigate_to(urljoin(self._case.base_url(), path), wait_stop=True)
        self.wait_for("document.readyState === 'complete'")
        self.wait_for(ready)

    def evaluate(self, script):
        """Return what a script of the page comes to; promises are waited for."""
        answer = self._chrome._websocket_request(
            "Runtime.evaluate",
            params={
                "expression": script,
                "awaitPromise": True,
                "returnByValue": True,
            },
            timeout=60.0,
        )
        if "exceptionDetails" in answer:
            raise AssertionError(f"{script[:200]}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait_for(self, script):
        """Wait until a script of the page comes to something true."""
        self._case.assertTrue(self._chrome._wait_ready(script), script)

    def drag(self, source, target):
        """Take an element with the mouse, and drop it on another.

        :param str source: selector of what is taken
        :param str target: selector of where it is dropped
        """
        here, there = (
            self.evaluate(
                f"""(() => {{
                    const box = document.querySelector({json.dumps(selector)})
                        .getBoundingClientRect();
                    return [box.x + box.width / 2, box.y + box.height / 2];
                }})()"""
            )
            for selector in (source, target)
        )
        self._move_mouse("mousePressed", *here)
        for part in range(1, 6):
            x, y = (a + (b - a) * part / 5 for a, b in zip(here, there, strict=True))
            self._move_mouse("mouseMoved", x, y)
        self._move_mouse("mouseReleased", *there)

    def _move_mouse(self, kind, x, y):
        self._send(
            "Input.dispatchMouseEvent",
            type=kind,
            x=x,
            y=y,
            button="left",
            buttons=1,
            clickCount=1,
        )

    def press(self, key, times=1, shift=False):
        """Press a key, on whatever has the focus."""
        code, number, text = KEYS[key]
        for _time in range(times):
            for kind in ("keyDown", "keyUp"):
                self._send(
                    "Input.dispatchKeyEvent",
                    type=kind,
                    key=key,
                    code=code,
                    windowsVirtualKeyCode=number,
                    modifiers=SHIFT if shift else 0,
                    text=text if kind == "keyDown" else "",
                )

    def screenshot(self):
        """Return the whole page as PNG."""
        height = self.evaluate("document.documentElement.scrollHeight")
        answer = self._send(
            "Page.captureScreenshot",
            captureBeyondViewport=True,
            clip={
                "x": 0,
                "y": 0,
                "width": self.evaluate("window.innerWidth"),
                "height": height,
                "scale": 1,
            },
        )
        return base64.b64decode(answer["data"])

    def pdf(self):
        """Return the page as it is printed."""
        answer = self._send("Page.printToPDF", printBackground=True)
        return base64.b64decode(answer["data"])

    def _send(self, method, **params):
        return self._chrome._websocket_request(method, params=params)


@contextmanager
def open_browser(case, login=None, has_scripts=True):
    """Start a browser for a test, and close it.

    :param case: ``HttpCase``
    :param str login: who is logged in; empty: nobody
    :param bool has_scripts: whether pages may run theirs
    """
    chrome = ChromeBrowser(case)
    with case.allow_requests(browser=chrome):
        try:
            case.authenticate(login, login, browser=chrome)
            case.cr.flush()
            case.cr.clear()
            yield Browser(case, chrome, has_scripts)
        finally:
            chrome.stop()
            case._wait_remaining_requests()
