"""Separate processes that write clicks, recount them and print their results.

    python -m tests.concurrency.click_writer DATABASE

DATABASE is the dict of Django's setting, as JSON. Each line of standard input is a job, as JSON: `{"job": 1, "act":
"send", …}`. It runs in a process that is forked for it before anything is connected, which is cheap, and says on
standard output, a line each: that it started, with its number, that it pauses where it was told to, and its answer.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 1, 31, 20, tzinfo=UTC)
STEP = timedelta(minutes=37)
NOW = datetime(2027, 1, 1, tzinfo=UTC)
KINDS = ("campaign", "vcard", "other")
FOR_GOOD = 3600  # seconds; processes that sleep so long will be killed


def time_of(number: int) -> datetime:
    """When the click of this number was made."""
    return START + number * STEP


def is_human(number: int) -> bool:
    return number % 10 != 0


def click_id_of(number: int) -> bytes:
    return (number + 1).to_bytes(16, "big")


def say(job: int, **what: Any) -> None:
    # A short write to a pipe is atomic, so lines of several processes are not mixed.
    os.write(1, (json.dumps({"job": job, **what}) + "\n").encode())


def migrate(job: int) -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def prepare(job: int, zone: str) -> int:
    """The number of a new workspace with some campaigns and users."""
    from tests.factories import make_campaign, make_user, make_workspace

    workspace = make_workspace(timezone=zone)
    for _ in range(3):
        make_campaign(workspace)
        make_user(workspace)
    return workspace.pk


def send(
    job: int,
    workspace: int,
    first: int,
    last: int,
    size: int,
    seed: int,
    pause_after: str | None = None,
    stay: bool = False,
) -> list[int]:
    """Sends the clicks `first` to `last`, shuffled, in batches; how many were accepted, duplicates and rejected.

    With `pause_after`, a table, it stops for good within the first transaction; with `stay`, after the last.
    """
    from stats_app.ingest import ClickInput, record_clicks
    from stats_app.models import Workspace

    place = Workspace.objects.get(pk=workspace)
    campaigns = [*place.campaigns.order_by("pk")]
    users = [*place.users.order_by("pk")]

    def click(number: int) -> ClickInput:
        kind = KINDS[number % 3]
        campaign = campaigns[number // 3 % 3].public_id if kind == "campaign" else None
        user = users[number % 3].public_id if number % 4 else None
        verdict = "human" if is_human(number) else "bot"
        return ClickInput(kind, click_id_of(number), campaign, user, clicked_at=time_of(number), verdict=verdict)

    numbers = [*range(first, last)]
    random.Random(seed).shuffle(numbers)
    sums = [0, 0, 0]
    with pausing(job, pause_after and f"INSERT INTO {pause_after}"):
        for begin in range(0, len(numbers), size):
            result = record_clicks(place, [click(number) for number in numbers[begin : begin + size]], now=NOW)
            sums = [
                a + b for a, b in zip(sums, (result.accepted, result.duplicates, len(result.rejected)), strict=True)
            ]
    if stay:
        time.sleep(FOR_GOOD)
    return sums


@contextmanager
def pausing(job: int, text: str | None, time_round: int = 1) -> Iterator[None]:
    """Stops for good after a statement that holds the text was run so many times, and says so."""
    from django.db import connection

    rounds = 0

    def pause(execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        nonlocal rounds
        answer = execute(sql, *args)
        if text is not None and text in sql:
            rounds += 1
            if rounds == time_round:
                say(job, event="paused")
                time.sleep(FOR_GOOD)
        return answer

    with connection.execute_wrapper(pause):
        yield


def command(job: int, name: str, arguments: list[str], pause_after: str | None = None, time_round: int = 1) -> str:
    """Runs a command in small batches, and returns what it prints. It may stop for good as `pausing` says."""
    from io import StringIO

    from django.core.management import call_command

    from stats_app import pruning, removal

    pruning.BATCH = removal.BATCH = 50
    out = StringIO()
    with pausing(job, pause_after, time_round):
        call_command(name, *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def change_zones(job: int, workspace: int, names: list[str]) -> None:
    from stats_app.models import Workspace
    from stats_app.rollups import change_timezone

    for name in names:
        change_timezone(Workspace.objects.get(pk=workspace), name)
        time.sleep(0.02)


def rebuild_often(job: int, workspace: int, times: int) -> None:
    from stats_app.models import Workspace
    from stats_app.rollups import rebuild

    for _ in range(times):
        rebuild(Workspace.objects.get(pk=workspace))
        time.sleep(0.02)


def check_often(job: int, workspace: int, times: int) -> list[str]:
    """The differences found during several checks."""
    from stats_app.models import Workspace
    from stats_app.rollups import check

    place = Workspace.objects.get(pk=workspace)
    return [str(difference) for _ in range(times) for difference in check(place)]


def change_verdicts_often(job: int, workspace: int, last: int, times: int, seed: int) -> None:
    """Changes the verdicts of some clicks, and finally restores them all."""
    from stats_app.models import Workspace
    from stats_app.verdict_changes import VerdictChange, change_verdicts

    place, chance = Workspace.objects.get(pk=workspace), random.Random(seed)
    for _ in range(times):
        some = chance.sample(range(last), last // 4)
        reason = chance.choice(["burst", "repeat"])
        change_verdicts(place, [VerdictChange(click_id_of(n), "suspected", reason) for n in some])
    right = ("human" if is_human(n) else "bot" for n in range(last))
    change_verdicts(place, [VerdictChange(click_id_of(n), verdict) for n, verdict in enumerate(right)])


def verify(job: int, workspace: int) -> dict[str, Any]:
    """The stored clicks and counts of the workspace, and their differences."""
    from stats_app.dimensions import WORKSPACE_DAYS
    from stats_app.models import Click, Rollup, Workspace
    from stats_app.rollups import check

    place = Workspace.objects.get(pk=workspace)
    days = Rollup.objects.filter(workspace=place, dimension=WORKSPACE_DAYS).order_by("day")
    return {
        "zone": place.timezone,
        "clicks": Click.objects.filter(workspace=place).count(),
        "differences": [str(difference) for difference in check(place)][:5],
        "days": {str(row.day): row.campaign_clicks + row.vcard_clicks + row.other_clicks for row in days},
    }


ACTS: dict[str, Callable[..., Any]] = {
    act.__name__: act
    for act in (
        migrate,
        prepare,
        send,
        command,
        change_zones,
        rebuild_often,
        check_often,
        change_verdicts_often,
        verify,
    )
}


def run(job: int, act: str, **values: Any) -> None:
    """Runs a job in a separate process."""
    say(job, event="started", pid=os.getpid())
    try:
        say(job, event="done", answer=ACTS[act](job, **values))
    except BaseException as error:
        say(job, event="failed", answer=f"{type(error).__name__}: {error}"[:2_000])
        raise


def main(database: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django
    from django.conf import settings

    settings.DATABASES["default"] = json.loads(database)
    django.setup()
    import stats_app.rollups  # noqa: F401  # imported before the fork, once for all processes
    import tests.factories  # noqa: F401  # as above

    # Ended processes are removed by the system.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        if os.fork() == 0:
            try:
                run(**json.loads(line))
            finally:
                os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
