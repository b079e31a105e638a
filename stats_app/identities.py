"""What identifies a person, and the rows of the audit log and of mailings that contain it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from stats_app.models import MailingAddress, ToolCall, WorkspaceUser
from stats_app.words import fold

HIDDEN = "(erased)"


@dataclass(frozen=True, slots=True)
class Identity:
    """A person's e-mails, external id and the words of the name, all folded for comparing."""

    emails: Collection[str]
    external_id: str | None
    name_words: Collection[str]

    @classmethod
    def of(cls, user: WorkspaceUser) -> Identity:
        aliases = user.aliases.using(user._state.db).values_list("email", flat=True)
        return cls((user.email, *aliases), user.external_id, fold(user.display_name).split())

    def is_in(self, text: str) -> bool:
        """Whether the text names the person: by an e-mail, by the external id, or by all words of the name."""
        folded = fold(text)
        if any(email in folded for email in self.emails):
            return True
        if self.external_id is not None and text.strip() == self.external_id:
            return True
        return bool(self.name_words) and set(folded.split()).issuperset(self.name_words)


def addresses_of(identity: Identity, workspace_id: int, *, using: str) -> QuerySet[MailingAddress]:
    """The person's addresses among those that the workspace's mailings are sent to."""
    addresses = MailingAddress.objects.using(using)
    return addresses.filter(mailing__workspace=workspace_id, email__in=identity.emails).order_by("pk")


def calls_that_name(
    identity: Identity, workspace_id: int, *, using: str, public_id: str | None = None, after: int = 0
) -> Iterator[ToolCall]:
    """The rows of the audit log whose client or arguments name the person, or contain the public id if one is given.

    `after` is a primary key: only rows after it are read. These are all read, because the arguments have no index.
    """
    calls: QuerySet[Any] = ToolCall.objects.using(using).filter(workspace=workspace_id).order_by("pk")
    last = after
    while page := list(calls.filter(pk__gt=last)[:1_000]):
        last = page[-1].pk
        for call in page:
            texts = [call.client, *_texts(call.arguments)]
            if (public_id is not None and public_id in texts) or any(map(identity.is_in, texts)):
                yield call


def hidden(value: Any, identity: Identity) -> Any:
    """The value with a placeholder for each text that names the person, also for names of parameters."""
    if isinstance(value, str):
        return HIDDEN if identity.is_in(value) else value
    if isinstance(value, dict):
        return {hidden(name, identity): hidden(item, identity) for name, item in value.items()}
    if isinstance(value, list):
        return [hidden(item, identity) for item in value]
    return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _texts([*value.keys(), *value.values()])
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
