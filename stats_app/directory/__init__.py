"""People and campaigns come in by the thousand: the one way in that REST, the commands and the admin share.

`items` declares their fields, `claims` settles who gets an e-mail, and `users` and `campaigns` save them.
"""

from __future__ import annotations

from stats_app.directory.campaigns import save_campaigns
from stats_app.directory.items import DirectoryItem, NewCampaign, NewUser, fields_of
from stats_app.directory.results import CREATED, UNCHANGED, UPDATED, Change, DirectoryResult, Saved
from stats_app.directory.users import save_users

__all__ = [
    "CREATED",
    "UNCHANGED",
    "UPDATED",
    "Change",
    "DirectoryItem",
    "DirectoryResult",
    "NewCampaign",
    "NewUser",
    "Saved",
    "fields_of",
    "save_campaigns",
    "save_users",
]
