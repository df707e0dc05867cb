"""A real headless browser, controlled by its DevTools protocol."""
import asyncio
import json
import shutil
import subprocess
import tempfile
import urllib.request

import websockets

from stack import wait_until

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--remote-debugging-port=0"]
START_S = 30


class Page:
    """One tab, used as a context manager. The browser ends with it."""

    def __init__(self, url):
        self._url = url
        self._loop = asyncio.new_event_loop()
        self._number = 0
        self._socket = None

    def __enter__(self):
        self._directory = tempfile.mkdtemp(prefix="imd-chromium-")
        self._log = open(f"{self._directory}/log", "w+")
        self._browser = subprocess.Popen(["chromium", *FLAGS, f"--user-data-dir={self._directory}/profile", self._url],
                                         stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        try:
            port_file = f"{self._directory}/profile/DevToolsActivePort"
            wait_until(lambda: self._read(port_file).count("\n") >= 1, START_S, "chromium listens")
            targets = f"http://127.0.0.1:{self._read(port_file).splitlines()[0]}/json"
            wait_until(lambda: self._tab(targets), START_S, "the tab is there")
            self._socket = self._loop.run_until_complete(self._connect(self._tab(targets)))
        except BaseException:
            self.__exit__()
            raise
        return self

    @staticmethod
    async def _connect(url):
        return await websockets.connect(url, max_size=None, ping_interval=None)

    @staticmethod
    def _read(path):
        try:
            with open(path) as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def _tab(self, targets):
        with urllib.request.urlopen(targets, timeout=START_S) as answer:
            tabs = [target for target in json.load(answer) if target["type"] == "page"]
        return next((tab["webSocketDebuggerUrl"] for tab in tabs if tab["url"].startswith(self._url)), None)

    def evaluate(self, expression):
        """Returns the value of an expression in the page; awaits promises."""
        return self._loop.run_until_complete(self._evaluate(expression))

    async def _evaluate(self, expression):
        self._number += 1
        await self._socket.send(json.dumps({
            "id": self._number, "method": "Runtime.evaluate",
            "params": {"expression": expression, "awaitPromise": True, "returnByValue": True}}))
        while True:
            answer = json.loads(await asyncio.wait_for(self._socket.recv(), START_S))
            if answer.get("id") == self._number:
                assert "exceptionDetails" not in answer["result"], answer
                return answer["result"]["result"].get("value")

    def __exit__(self, *_):
        if self._socket:
            self._loop.run_until_complete(self._socket.close())
        self._browser.kill()
        self._browser.wait()
        self._loop.close()
        self._log.close()
        shutil.rmtree(self._directory, ignore_errors=True)
