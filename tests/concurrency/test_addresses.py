"""Two processes save the same e-mail at the same time, as a user's own and as an alias: one of them is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from stats_app.models import Address, Alias, WorkspaceUser
from tests.factories import make_user, make_workspace

ROOT = Path(__file__).resolve().parent.parent.parent
ROUNDS = 60


def ask(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def answer(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


@pytest.mark.django_db(transaction=True)
def test_an_email_is_a_users_or_an_alias_and_never_both() -> None:
    workspace = make_workspace()
    make_user(workspace, email="owner@example.com")
    database = str(connection.settings_dict["NAME"])
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.concurrency.address_writer", database, str(workspace.pk), model],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for model in ("user", "alias")
    ]
    try:
        assert [answer(process) for process in processes] == ["ready", "ready"]
        for number in range(ROUNDS):
            # The same to the database, though not to its readers.
            ask(processes[0], f"E{number}@example.com")
            ask(processes[1], f"e{number}@EXAMPLE.COM")
            assert sorted(answer(process) for process in processes) == ["made", "refused"], number
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    users, aliases = (set(model.objects.values_list("email", flat=True)) for model in (WorkspaceUser, Alias))
    assert users & aliases == set()
    assert len(users | aliases) == ROUNDS + 1
    assert set(Address.objects.values_list("email", flat=True)) == users | aliases
