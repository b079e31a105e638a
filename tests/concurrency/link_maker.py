"""A separate process that makes tracked links, and prints their tokens.

    python -m tests.concurrency.link_maker DATABASE WORKSPACE

Each line of standard input is a JSON list of targets, and is answered by the JSON list of the tokens of their links and
by how many of them it made itself.
"""

from __future__ import annotations

import json
import sys

from tests.concurrency.processes import say, set_up


def main(database: str, workspace_id: str) -> None:
    set_up(database)

    from stats_app.links import LinkInput, create_links
    from stats_app.models import Workspace

    workspace = Workspace.objects.get(pk=workspace_id)
    say("ready")
    for line in sys.stdin:
        result = create_links(workspace, [LinkInput("other", target) for target in json.loads(line)])
        tokens = [link.token for link in result.links if link is not None]
        say(json.dumps([result.created, tokens]))


if __name__ == "__main__":
    main(*sys.argv[1:])
