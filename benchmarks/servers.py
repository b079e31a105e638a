"""The measured server: gunicorn with two workers that keep connections open; and its client."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

WORKERS = 2
_START_SECONDS = 30


@dataclass
class Server:
    """A running server, with one client at a time, which keeps its connection."""

    port: int
    process: subprocess.Popen[bytes]
    client: HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self.client = HTTPConnection("127.0.0.1", self.port, timeout=600)

    def get(self, path: str, secret: str = "", headers: Mapping[str, str] | None = None, status: int = 200) -> bytes:
        return self._ask("GET", path, {"x-api-key": secret} | dict(headers or {}), status=status)

    def post(self, path: str, secret: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
        own = {"x-api-key": secret, "Content-Type": "application/json"}
        return self._ask("POST", path, own | dict(headers or {}), body)

    def _ask(
        self, method: str, path: str, headers: dict[str, str], body: bytes | None = None, status: int = 200
    ) -> bytes:
        self.client.request(method, path, body, headers)
        response = self.client.getresponse()
        content = response.read()
        if response.status != status:
            raise RuntimeError(f"{method} {path}: {response.status} {content[:500]!r}")
        return content

    @property
    def processes(self) -> list[int]:
        """The master and its workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [self.process.pid, *map(int, children)]


@contextmanager
def serving(alias: str, **environment: str) -> Iterator[Server]:
    """A server for one database, which is stopped at the end of the block."""
    port = _free_port()
    command = [sys.executable, "-m", "gunicorn", "benchmarks.servers:application()", "--bind", f"127.0.0.1:{port}"]
    # Sync workers would close each connection. Workers with one thread do the same work and keep connections open.
    options = ["--workers", str(WORKERS), "--worker-class", "gthread", "--threads", "1", "--keep-alive", "600"]
    process = subprocess.Popen(
        [*command, *options, "--log-level", "warning"], env=os.environ | {"BENCH_ALIAS": alias} | environment
    )
    try:
        _wait_for(port, process)
        yield Server(port, process)
    finally:
        process.terminate()
        process.wait()


def application() -> Any:
    """The WSGI application, which gunicorn makes."""
    from django.core.wsgi import get_wsgi_application

    return get_wsgi_application()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(_START_SECONDS * 10):
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("The server did not start.")
