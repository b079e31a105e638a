from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "tests.apart.accounts"
    label = "accounts"
