"""Takes pictures of pages with chromium, over its DevTools protocol."""

import base64
import contextlib
import itertools
import json
import os
import resource
import signal
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

import websocket

ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
    "--allow-file-access-from-files",
)
# Pages are frames on a sheet: one start, one picture for many of them.
SHEET = """<!DOCTYPE html>
<meta charset="utf-8">
<style>
body {{ display: grid; grid-template-columns: repeat({columns}, {width}px);
        align-items: start; margin: 0; }}
iframe {{ display: block; width: {width}px; height: 100px; border: 0; }}
</style>
{frames}"""
# Gives each frame the height of its page; where they are then.
MEASURE = """(async () => {
    const frames = [...document.querySelectorAll("iframe")];
    for (const frame of frames) {
        const page = frame.contentDocument;
        await Promise.all([...page.images].map((image) => image.decode()));
        await page.fonts.ready;
        const missing = [...page.fonts].find((font) => font.status === "error");
        if (missing) {
            throw new Error("no font " + missing.family + " " + missing.weight);
        }
        frame.style.height = page.documentElement.scrollHeight + "px";
    }
    return frames.map((frame) => {
        const box = frame.getBoundingClientRect();
        return [box.left, box.top, box.right, box.bottom].map(Math.round);
    });
})()"""
# Seconds: a busy machine takes its time.
START_TIMEOUT = 60
ANSWER_TIMEOUT = 60


def _lift_memory_limit():
    """Odoo limits the memory of its process, and of what that starts; chromium asks for
    far more addresses than it uses."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


class Browser:
    """A chromium without a window; use it with ``with``.

    :param program: path of chromium
    """

    def __init__(self, program):
        self._numbers = itertools.count(1)
        # Its helper processes may write a last line into it when it has ended.
        self._profile = tempfile.TemporaryDirectory(
            prefix="template-pictures-", ignore_cleanup_errors=True
        )
        self._process = subprocess.Popen(
            [
                program,
                *ARGUMENTS,
                f"--user-data-dir={self._profile.name}",
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=_lift_memory_limit,
            start_new_session=True,
        )

    def __enter__(self):
        try:
            self._socket = websocket.create_connection(
                self._find_page(), timeout=ANSWER_TIMEOUT
            )
            self._ask("Page.enable")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exception):
        self._process.terminate()
        self._process.wait()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._profile.cleanup()

    def shoot(self, paths, width, columns=5, is_dark=False):
        """Take pictures of whole pages, all at once: side by side on one sheet.

        :param paths: of HTML files; a list of ``Path``
        :param int width: of each page, in pixels
        :param int columns: so many pages beside each other
        :param bool is_dark: as in the dark mode of a mail program
        :return: PNG of the sheet, and the box of each page in it (left, upper, right,
            lower, in pixels)
        :rtype: tuple[bytes, list[tuple]]
        :raise RuntimeError: a picture or a font of a page could not be loaded
        """
        self._ask(
            "Emulation.setEmulatedMedia",
            features=[
                {
                    "name": "prefers-color-scheme",
                    "value": "dark" if is_dark else "light",
                }
            ],
        )
        self._resize(width * columns, 800)
        frames = "".join(f'<iframe src="{path.as_uri()}"></iframe>' for path in paths)
        sheet = Path(self._profile.name, f"sheet-{next(self._numbers)}.html")
        sheet.write_text(SHEET.format(width=width, columns=columns, frames=frames))
        self._open(sheet)
        boxes = self._evaluate(MEASURE)
        self._resize(width * columns, max(box[3] for box in boxes))
        picture = self._ask(
            "Page.captureScreenshot", format="png", optimizeForSpeed=True
        )
        return base64.b64decode(picture["data"]), [tuple(box) for box in boxes]

    def get_fonts(self, path):
        """Return the families of the fonts with which a page is drawn.

        :param Path path: of an HTML file
        :rtype: set[str]
        """
        self._open(path)
        self._ask("DOM.enable")
        self._ask("CSS.enable")
        root = self._ask("DOM.getDocument")["root"]["nodeId"]
        found = self._ask("DOM.querySelectorAll", nodeId=root, selector="body *")
        return {
            font["familyName"]
            for node in found["nodeIds"]
            for font in self._ask("CSS.getPlatformFontsForNode", nodeId=node)["fonts"]
        }

    def _open(self, path):
        self._ask("Page.navigate", url=path.as_uri())
        # Not the page from before.
        self._wait_for(
            "document.readyState === 'complete'"
            f" && location.href === {json.dumps(path.as_uri())}"
        )

    def _resize(self, width, height):
        self._ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def _find_page(self):
        port_file = Path(self._profile.name, "DevToolsActivePort")
        end = time.monotonic() + START_TIMEOUT
        while time.monotonic() < end:
            if port_file.exists() and (lines := port_file.read_text().split()):
                pages = json.load(
                    urllib.request.urlopen(
                        f"http://127.0.0.1:{lines[0]}/json", timeout=ANSWER_TIMEOUT
                    )
                )
                for page in pages:
                    if page["type"] == "page":
                        return page["webSocketDebuggerUrl"]
            if self._process.poll() is not None:
                raise RuntimeError("chromium ended before it could be used")
            time.sleep(0.1)
        raise TimeoutError("chromium did not start")

    def _wait_for(self, script):
        end = time.monotonic() + ANSWER_TIMEOUT
        while not self._evaluate(script):
            if time.monotonic() > end:
                raise TimeoutError(script)
            time.sleep(0.02)

    def _evaluate(self, script):
        answer = self._ask(
            "Runtime.evaluate",
            expression=script,
            awaitPromise=True,
            returnByValue=True,
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def _ask(self, method, **params):
        number = next(self._numbers)
        self._socket.send(
            json.dumps({"id": number, "method": method, "params": params})
        )
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == number:
                break
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]
