"""A separate process that saves people and campaigns, and prints the results.

    python -m tests.concurrency.directory_writer DATABASE WORKSPACE

Each line of standard input is `users SEED` or `campaigns SEED`, a list of everybody in an order of its own, or
`form SEED`, everybody one by one as a form of the admin saves them. It is answered by the numbers of those that were
created and rejected, or by the name of an error.
"""

from __future__ import annotations

import os
import random
import sys

from tests.concurrency.processes import say, set_up

PEOPLE = 40


def main(database: str, workspace_id: str) -> None:
    set_up(database)

    from django.db import IntegrityError

    from stats_app.directory import save_campaigns, save_users
    from stats_app.models import Workspace, WorkspaceUser

    workspace = Workspace.objects.get(pk=workspace_id)

    def save(what: str, seed: int) -> str:
        """Which e-mail somebody has depends on the seed; each round has people of its own."""
        chance = random.Random(f"{os.getpid()} {seed}")
        first = seed * PEOPLE
        numbers = chance.sample(range(first, first + PEOPLE), PEOPLE)
        if what == "form":
            made = 0
            for number in numbers:
                try:
                    WorkspaceUser.objects.create(workspace=workspace, email=f"user{number}@example.com")
                    made += 1
                except IntegrityError:
                    pass
            return f"{made} 0"
        if what == "campaigns":
            carriers = [f"user{number}@example.com" for number in numbers[:5]]
            spring = {"name": "Spring", "targetUrl": "https://www.example.com/"}
            items = [spring | {"externalId": f"{number}"} for number in numbers]
            result = save_campaigns(workspace, [*items, spring | {"externalId": f"c{seed}", "assignedUsers": carriers}])
            return f"{result.created} 0"
        turn = chance.randrange(PEOPLE)
        result = save_users(
            workspace,
            [
                {
                    "email": f"user{number}@example.com",
                    # Aliases belong to other people in each run, so that some are deleted and created again.
                    "aliases": [f"alias{first + (number + turn) % PEOPLE}@example.com"],
                    "displayName": f"{os.getpid()}",
                }
                for number in numbers
            ],
        )
        return f"{result.created} {len(result.rejected)}"

    say("ready")
    for line in sys.stdin:
        what, seed = line.split()
        try:
            answer = save(what, int(seed))
        except Exception as error:  # the test must see every error
            answer = repr(error).replace("\n", " ")
        say(answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
