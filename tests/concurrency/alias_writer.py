"""A separate process that for some seconds records clicks or makes links with aliases, deletes and creates aliases, or
follows a link.

    python -m tests.concurrency.alias_writer DATABASE WORKSPACE ACT NUMBER

ACT is `clicks`, `links`, `aliases`, or the token of a link to follow. NUMBER is how many aliases there are:
`alias0@example.com` and so on. The first line of standard input says how many seconds to work. Then it prints how many
rows it stored, how many it could not because the alias was not found or not free, and how many it tried.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from datetime import datetime

from tests.concurrency.processes import PATIENCE, say, set_up


def main(database: str, workspace_id: str, act: str, number: str) -> None:
    set_up(database)

    from django.db import IntegrityError, transaction
    from django.utils import timezone

    from stats_app import known_links, visits
    from stats_app.ingest import ClickInput, record_clicks
    from stats_app.known_links import find_link
    from stats_app.links import LinkInput, create_links
    from stats_app.models import Alias, Workspace, WorkspaceUser
    from stats_app.verdicts import Visit
    from stats_app.visits import record_visit

    visits.MAX_WAIT = known_links.MAX_WAIT = PATIENCE  # so that no click is lost on a slow machine
    workspace = Workspace.objects.get(pk=workspace_id)
    chance = random.Random(act)

    def once(now: datetime) -> Counter[str]:
        aliases = [f"alias{chance.randrange(int(number))}@example.com" for _ in range(5)]
        if act == "clicks":
            clicks = record_clicks(workspace, [ClickInput("other", alias=alias) for alias in aliases])
            return Counter(stored=clicks.accepted) + Counter(rejection.code for rejection in clicks.rejected)
        if act == "aliases":
            # One by one, as forms of the admin do.
            with transaction.atomic():
                Alias.objects.filter(workspace=workspace, email=aliases[0]).delete()
            user = chance.choice(WorkspaceUser.objects.filter(workspace=workspace))
            try:
                Alias.objects.create(workspace=workspace, user=user, email=aliases[1])
            except IntegrityError:
                return Counter(not_found=1)
            return Counter(stored=1)
        if act == "links":
            target = f"https://www.example.com/{chance.random()}"
            links = create_links(workspace, [LinkInput("other", target, alias=alias) for alias in aliases])
            return Counter(stored=links.created) + Counter(rejection.code for rejection in links.rejected)
        link = find_link(act)
        assert link
        agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
        record_visit(link, Visit(user_agent=agent), remote_addr="192.0.2.7", forwarded=None, now=now)
        return Counter(stored=1)

    say("ready")
    seconds = float(sys.stdin.readline())
    outcomes: Counter[str] = Counter()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        outcomes += once(timezone.now())
    say(f"{outcomes['stored']} {outcomes['not_found']} {outcomes.total()}")


if __name__ == "__main__":
    main(*sys.argv[1:])
