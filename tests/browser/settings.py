"""The tests' settings, with a strict policy for every page that sets none itself."""

from tests.settings import *  # noqa: F403  # all of them, and then one is replaced
from tests.settings import MIDDLEWARE

MIDDLEWARE = ["tests.browser.policy.strict_policy", *MIDDLEWARE]
