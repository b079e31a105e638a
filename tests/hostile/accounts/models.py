"""A user model of the project's own: people log in with their e-mail, and must have a name and no user name."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models


class AccountManager(BaseUserManager["Account"]):
    def create_superuser(self, email: str, full_name: str, password: str) -> Account:
        return self.create(email=email, full_name=full_name, is_superuser=True, password=password)

    def create(self, *, password: str, **values: Any) -> Account:
        account = Account(**values)
        account.set_password(password)
        account.save()
        return account


class Account(AbstractBaseUser):
    email = models.EmailField(unique=True)
    full_name = models.CharField(max_length=100)
    is_superuser = models.BooleanField(default=False)
    objects = AccountManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["full_name"]

    def __str__(self) -> str:
        return self.full_name
