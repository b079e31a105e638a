"""The tests' settings, with the strict policy that every page of ours must do with."""

from tests.settings import *  # noqa: F403  # all of them
from tests.settings import MIDDLEWARE

MIDDLEWARE = ["tests.browser.policy.strict_policy", *MIDDLEWARE]
