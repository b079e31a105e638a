"""The header `x-api-key`."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.utils.timezone import now
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from stats_app.keys import CHALLENGE, HEADER, Caller, authenticate


class ApiKeyAuthentication(BaseAuthentication):
    """`request.auth` is the `Caller`. A call without a good key ends here: no view of ours is open to others."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Caller]:
        # An API key is no person: the host's middleware may look at request.user.
        return AnonymousUser(), authenticate(request.headers.get(HEADER), now())

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE
