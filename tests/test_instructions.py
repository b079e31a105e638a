"""Runs the commands that README.md and two pages of docs/ tell a newcomer to type, as written, in that order.

What differs from a newcomer's machine: nothing is downloaded, since `pip` finds what it needs among the packages of
these tests, and a free port stands for 8000.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from stats_app.management.commands import mcp_stdio

CHECKOUT = Path(__file__).resolve().parent.parent
PATIENCE = 600.0  # seconds; only to end a test that hangs; long enough for any machine

SERVERS = ("make demo", "python manage.py runserver")
PYTHON_SHELL = "python manage.py shell"
LOGIN = "python manage.py createsuperuser"
ANSWERS = {
    "Username": "ada",
    "Email": "ada@example.com",
    "Password:": "analytical-engine",
    "(again)": "analytical-engine",
}
# Programs that these tests do not bring along. Their clients' protocol is tested in tests/mcp.
OTHERS = ("claude mcp add", "npx @modelcontextprotocol/inspector")


class Block(NamedTuple):
    language: str
    text: str


def blocks(page: str) -> list[Block]:
    return [Block(*found) for found in re.findall(r"^```(\w*)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)]


def section(page: str, begin: str, end: str) -> str:
    return page[page.index(f"## {begin}") : page.index(f"## {end}")]


class Newcomer:
    """Somebody who types the blocks of a page in one shell, whose variables stay, and a second one for servers."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.variables = folder, folder.parent / f"{folder.name}-variables"
        self.variables.touch()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = str(probe.getsockname()[1])
        self.environment = environment | {"PORT": self.port}
        self.servers: list[subprocess.Popen[bytes]] = []
        self.output = ""
        self.ran: list[str] = []

    def follow(self, page: str) -> None:
        waiting = blocks(page)
        while waiting:
            language, text = waiting.pop(0)
            if language == "python":
                self.write(text)
            elif language == "json":
                self.compare(text)
            elif language == "text":
                assert self.output == text
            elif text.strip() == PYTHON_SHELL:
                self.run(PYTHON_SHELL, typed=waiting.pop(0).text)
            elif text.strip() == LOGIN:
                self.log_in()
            elif text.strip() in SERVERS:
                self.serve(text.strip())
            elif text.startswith(OTHERS):
                self.check_address(text)
            else:
                self.run(text)

    def here(self, text: str) -> str:
        return text.replace("127.0.0.1:8000", f"127.0.0.1:{self.port}")

    def run(self, text: str, typed: str = "") -> None:
        script = f'set -ae; . "{self.variables}"\n{self.here(text)}\nexport -p > "{self.variables}"'
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", script],
            cwd=self.folder,
            env=self.environment,
            input=typed,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr, done.stderr
        self.output = done.stdout
        self.ran += text.strip().splitlines()

    def write(self, text: str) -> None:
        """Adds lines to the file that their first one names; what names none must at least be Python."""
        path = re.match(r"# (\S+\.py)\n", text)
        if path is None:
            compile(text, "an example", "exec")
            return
        with (self.folder / path[1]).open("a", encoding="utf-8") as file:
            file.write(text)

    def compare(self, text: str) -> None:
        """The answer that the page shows, but for when it was made."""
        shown = json.loads(text)
        if "mcpServers" in shown:
            self.check_client(shown["mcpServers"]["stats"])
            return
        answer = json.loads(self.output)
        if "generatedAt" in shown:
            year = time.strftime("%Y")
            shown["period"] = {name: re.sub("^[0-9]{4}", year, day) for name, day in shown["period"].items()}
            assert re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\+00:00", answer.pop("generatedAt"))
            del shown["generatedAt"]
        assert answer == shown

    def log_in(self) -> None:
        """Answers what the command asks on its terminal."""
        spawn = f"import pty; pty.spawn({LOGIN.split()})"
        said, questions = "", dict(ANSWERS)
        with subprocess.Popen(
            [sys.executable, "-c", spawn],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as terminal:
            assert terminal.stdin
            assert terminal.stdout
            while byte := terminal.stdout.read(1):
                said += byte.decode("latin-1")
                for question in [asked for asked in questions if asked in said]:
                    terminal.stdin.write(f"{questions.pop(question)}\n".encode())
                    terminal.stdin.flush()
                    said = ""
        assert questions == {}
        assert "Superuser created successfully." in said
        self.ran.append(LOGIN)

    def serve(self, command: str) -> None:
        typed = f"{command} {self.port}" if command.endswith("runserver") else command
        log = self.variables.with_suffix(".log")
        with log.open("wb") as output:
            server = subprocess.Popen(
                ["bash", "-c", typed],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.servers.append(server)
        deadline = time.monotonic() + PATIENCE
        while not self.is_up():
            assert server.poll() is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < deadline
            time.sleep(0.1)
        self.ran.append(command)

    def is_up(self) -> bool:
        try:
            return self.status_of("/api/v1/schema/") == 200
        except OSError:
            return False

    def status_of(self, path: str) -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=PATIENCE) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            return error.code

    def check_address(self, text: str) -> None:
        """The address and the header in another program's command: by them, the server lists its tools."""
        assert '--header "x-api-key: $KEY"' in text
        [url] = re.findall(r"http://\S+", text)
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
        headers = '-H "x-api-key: $KEY" -H "Content-Type: application/json" -H "Accept: application/json"'
        self.run(f"curl --fail {headers} -d '{body}' {url}")
        assert len(json.loads(self.output)["result"]["tools"]) == 5
        self.ran[-1] = text.strip()

    def check_client(self, client: dict[str, Any]) -> None:
        """What a client's own file says of the server: which files it starts, or which address it asks."""
        if "url" in client:
            assert (self.here(client["url"]), [*client["headers"]]) == (
                f"http://127.0.0.1:{self.port}/mcp",
                ["x-api-key"],
            )
            return
        program, (manage, command) = client["command"], client["args"]
        assert all((self.folder / Path(path).relative_to("/srv/stats")).exists() for path in (program, manage))
        assert (command, [*client["env"]]) == ("mcp_stdio", [mcp_stdio.VARIABLE])

    def leave(self) -> None:
        for server in self.servers:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(PATIENCE)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, str]]]:
    """A folder with a checkout, and the environment of a shell with `python` and `pip` of a new virtual environment."""
    folder = tmp_path_factory.mktemp("newcomer")
    ignored = shutil.ignore_patterns(
        ".git", ".venv", "build", ".*_cache", "__pycache__", "node_modules", ".env", "db.*"
    )
    shutil.copytree(CHECKOUT, folder / "stats-tools", ignore=ignored)
    for environment in (folder / "env", folder / "stats-tools" / ".venv"):
        venv.create(environment, with_pip=environment.name == "env", symlinks=True)
        [packages] = environment.glob("lib/python*/site-packages")
        (packages / "shared.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    # What `make` looks at to know that it has installed the requirements.
    (folder / "stats-tools" / ".venv" / ".installed-runtime").touch()
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH") if name in os.environ}
    offline = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    path = f"{folder / 'env' / 'bin'}:{os.environ['PATH']}"
    yield folder, kept | offline | {"PATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    shutil.rmtree(folder, ignore_errors=True)


def newcomer(machine: tuple[Path, dict[str, str]], name: str) -> Newcomer:
    folder, environment = machine
    (folder / name).mkdir(exist_ok=True)
    return Newcomer(folder / name, environment)


def page(name: str) -> str:
    return (CHECKOUT / name).read_text(encoding="utf-8")


def commands(text: str) -> list[str]:
    return [line for language, block in blocks(text) if not language for line in block.strip().splitlines()]


def test_the_install_page_leads_to_a_first_answer(machine: tuple[Path, dict[str, str]]) -> None:
    ada, text = newcomer(machine, "install"), page("docs/install.md")
    try:
        ada.follow(text)
        assert ada.ran == commands(text)
        assert [ada.status_of(path) for path in ("/stats/", "/api/v1/docs/", "/admin/")] == [200] * 3
        ada.run("python manage.py check --fail-level INFO")
    finally:
        ada.leave()


def test_a_project_has_its_first_numbers(machine: tuple[Path, dict[str, str]]) -> None:
    grace, text = newcomer(machine, "numbers"), page("docs/first-numbers.md")
    grace.run("python -m django startproject mysite .")
    grace.follow(section(page("README.md"), "Into your project", "Ask an AI assistant"))
    grace.ran = []
    try:
        grace.follow(text)
        assert grace.ran == commands(text)
        assert [grace.status_of(path) for path in ("/stats/", "/admin/")] == [200] * 2
    finally:
        grace.leave()


def test_the_readme_leads_through_the_demo_and_into_a_project(machine: tuple[Path, dict[str, str]]) -> None:
    text = page("README.md")
    demo, into, mcp = (
        section(text, *ends)
        for ends in (
            ("Try it", "What staff see"),
            ("Into your project", "Ask an AI assistant"),
            ("Ask an AI assistant", "Documentation"),
        )
    )
    assert commands(demo + into + mcp) == commands(text)
    ada, bob = newcomer(machine, "stats-tools"), newcomer(machine, "project")
    try:
        ada.follow(demo)
        assert [ada.status_of(path) for path in ("/", "/stats/", "/admin/", "/favicon.ico")] == [200] * 4
        ada.follow(mcp)
        assert ada.ran == commands(demo) + commands(mcp)
    finally:
        ada.leave()
    bob.run("python -m django startproject mysite .")
    bob.follow(into)
    assert bob.ran[1:] == commands(into)
    bob.run("python manage.py check --fail-level INFO")
