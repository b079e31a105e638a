"""A separate process that saves e-mails as users or as aliases, and prints which were saved.

    python -m tests.concurrency.address_writer DATABASE WORKSPACE MODEL

MODEL is `user` or `alias`. Each line of standard input is an e-mail, and is answered by `made` or `refused`.
"""

from __future__ import annotations

import sys

from tests.concurrency.processes import say, set_up


def main(database: str, workspace_id: str, model: str) -> None:
    set_up(database)

    from django.db import IntegrityError

    from stats_app.models import Alias, Workspace, WorkspaceUser

    workspace = Workspace.objects.get(pk=workspace_id)
    owner = WorkspaceUser.objects.filter(workspace=workspace).earliest("pk")

    def save(email: str) -> str:
        try:
            if model == "user":
                WorkspaceUser.objects.create(workspace=workspace, email=email)
            else:
                Alias.objects.bulk_create([Alias(workspace=workspace, user=owner, email=email)])
        except IntegrityError:
            return "refused"
        return "made"

    say("ready")
    for line in sys.stdin:
        say(save(line.strip()))


if __name__ == "__main__":
    main(*sys.argv[1:])
