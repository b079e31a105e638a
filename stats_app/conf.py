"""The settings of Stats Tools: one dict `STATS_APP` in the host's settings, every key optional.

Nothing is cached, so that `override_settings` works. Bad keys and values are found by the system checks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django.conf import settings

DEFAULTS: dict[str, Any] = {
    # Calls a minute for each tool and API key; None switches the limit off.
    "RATE_LIMIT": 30,
    # Requests a minute for each API key to the lists of campaigns, users, clicks and links, and to POST links/.
    "LIST_RATE_LIMIT": 300,
    # Requests a minute for each API key to POST clicks/.
    "INGEST_RATE_LIMIT": None,
    # Requests a minute for each API key to POST users/ and POST campaigns/.
    "DIRECTORY_RATE_LIMIT": None,
    # The public address of tracked links, such as "https://go.example.com/c/". None: their address on this site.
    "LINK_BASE_URL": None,
    # Use prepared statements on PostgreSQL. Set False behind a transaction pooler that does not support them.
    "PREPARED_STATEMENTS": True,
    # Dotted path of a function (user) -> queryset of the workspaces that a staff member may see. None: all.
    "WORKSPACES_FOR": None,
    # Origins, other than the site's own, whose web pages may call /mcp, such as "https://app.example".
    "MCP_ALLOWED_ORIGINS": (),
    # The proxies in front of the site: their number, or a list of their addresses and networks. 0: none.
    "TRUSTED_PROXIES": 0,
    # The header in which the proxies write the visitor's address.
    "CLIENT_IP_HEADER": "X-Forwarded-For",
    # Figures of single persons: "full" shows all, "totals" none, a number those of persons with so many clicks or more.
    "PERSON_FIGURES": "full",
    # The site's address, such as "https://stats.example.com", for links in mails, which are made without a request.
    "BASE_URL": None,
}


class Conf:
    """Typed access to `settings.STATS_APP` with the defaults filled in."""

    def _get(self, key: str) -> Any:
        return getattr(settings, "STATS_APP", {}).get(key, DEFAULTS[key])

    @property
    def rate_limit(self) -> int | None:
        return cast("int | None", self._get("RATE_LIMIT"))

    @property
    def list_rate_limit(self) -> int | None:
        return cast("int | None", self._get("LIST_RATE_LIMIT"))

    @property
    def ingest_rate_limit(self) -> int | None:
        return cast("int | None", self._get("INGEST_RATE_LIMIT"))

    @property
    def link_base_url(self) -> str | None:
        return cast("str | None", self._get("LINK_BASE_URL"))

    @property
    def directory_rate_limit(self) -> int | None:
        return cast("int | None", self._get("DIRECTORY_RATE_LIMIT"))

    @property
    def prepared_statements(self) -> bool:
        return cast(bool, self._get("PREPARED_STATEMENTS"))

    @property
    def workspaces_for(self) -> str | None:
        return cast("str | None", self._get("WORKSPACES_FOR"))

    @property
    def mcp_allowed_origins(self) -> Sequence[str]:
        return cast("Sequence[str]", self._get("MCP_ALLOWED_ORIGINS"))

    @property
    def trusted_proxies(self) -> int | Sequence[str]:
        return cast("int | Sequence[str]", self._get("TRUSTED_PROXIES"))

    @property
    def client_ip_header(self) -> str:
        return cast(str, self._get("CLIENT_IP_HEADER"))

    @property
    def person_figures(self) -> int | str:
        return cast("int | str", self._get("PERSON_FIGURES"))

    @property
    def base_url(self) -> str | None:
        return cast("str | None", self._get("BASE_URL"))


conf = Conf()
