"""Authentication by the header `x-api-key`."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.utils.timezone import now
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from stats_app.keys import CHALLENGE, HEADER, Caller, authenticate


class ApiKeyAuthentication(BaseAuthentication):
    """Sets `request.auth` to the `Caller`. Refuses a request without a valid key, because every view here needs one."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Caller]:
        # `request.user` must exist, because the host's middleware may read it. An API key is not a user.
        return AnonymousUser(), authenticate(request.headers.get(HEADER), now())

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE
