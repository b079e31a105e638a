"""Separate processes on the tests' database, which a test starts and talks with line by line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 600.0  # seconds; only to end a test that hangs

Process = subprocess.Popen[str]


# --- in the test


@contextmanager
def running(program: str, arguments: Iterable[Sequence[object]]) -> Iterator[list[Process]]:
    """Processes of a module of this package, one for each list of arguments, when all of them are ready. They are
    killed at the end."""
    processes = [_start(program, own) for own in arguments]
    try:
        for process in processes:
            assert answer(process) == "ready"
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def _start(program: str, arguments: Sequence[object]) -> Process:
    database = str(connection.settings_dict["NAME"])
    return subprocess.Popen(
        [sys.executable, "-m", f"tests.concurrency.{program}", database, *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ask(process: Process, line: str) -> None:
    assert process.stdin
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def answer(process: Process) -> str:
    """The next line of output. Fails with the process's errors if it has ended."""
    assert process.stdout
    line = process.stdout.readline()
    assert line, process.communicate()
    return line.strip()


def outputs_at_once(processes: Sequence[Process]) -> list[str]:
    """The outputs of processes that wait for a line to begin. All of them have to end without an error."""
    for process in processes:
        ask(process, "go")
    outputs = [process.communicate(timeout=PATIENCE) for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes), outputs
    return [output for output, _errors in outputs]


# --- in the processes


def set_up(database: str, **values: object) -> None:
    """Sets Django up on the tests' database, with more values of its settings."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django
    from django.conf import settings

    settings.DATABASES["default"] |= {"NAME": database, **values}
    django.setup()


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # the test reads it
