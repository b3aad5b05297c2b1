"""Takes pictures of pages with chromium, over its DevTools protocol."""

import base64
import itertools
import json
import resource
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
        self._profile = tempfile.TemporaryDirectory(prefix="template-pictures-")
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
        self._profile.cleanup()

    def shoot(self, path, width, is_dark=False):
        """Take a picture of a whole page.

        :param Path path: of an HTML file
        :param int width: of the window, in pixels
        :param bool is_dark: as in the dark mode of a mail program
        :return: PNG
        :rtype: bytes
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
        self._resize(width, 800)
        self._ask("Page.navigate", url=path.as_uri())
        self._wait_for(
            "document.readyState === 'complete' && location.href !== 'about:blank'"
        )
        self._evaluate(
            "Promise.all([document.fonts.ready,"
            " ...[...document.images].map((image) => image.decode())])"
        )
        self._resize(width, self._evaluate("document.documentElement.scrollHeight"))
        picture = self._ask("Page.captureScreenshot", format="png")
        return base64.b64decode(picture["data"])

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
