"""The project's own API: XML for people who are logged in."""

from __future__ import annotations

from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tests.hostile.accounts.models import Account


class AccountSerializer(serializers.ModelSerializer[Account]):
    class Meta:
        model = Account
        fields = ("full_name",)


class Accounts(generics.ListAPIView[Account]):
    queryset = Account.objects.order_by("pk")
    serializer_class = AccountSerializer


class Version(APIView):
    def get(self, request: Request) -> Response:
        return Response({"version": request.version, "user": request.user.full_name})

    def post(self, request: Request) -> Response:
        return Response({"form": dict(request.data.items())})
