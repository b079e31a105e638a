"""Saving people and campaigns, thousands at once. REST, the commands and the admin use the same functions.

`items` declares the fields, `plans` plans the changes, `claims` decides which item gets an e-mail or external id,
`users` and `campaigns` save the rows, `assignments` assigns users to a campaign, and `files` reads items from files.
"""

from __future__ import annotations

from stats_app.directory.assignments import assign_users, users_named
from stats_app.directory.campaigns import save_campaigns
from stats_app.directory.files import FORMATS, ItemRow, ItemRows, file_fields, read_items
from stats_app.directory.items import DirectoryItem, NewCampaign, NewUser, fields_of
from stats_app.directory.results import CREATED, UNCHANGED, UPDATED, Change, DirectoryResult, Saved
from stats_app.directory.users import save_users

__all__ = [
    "CREATED",
    "FORMATS",
    "UNCHANGED",
    "UPDATED",
    "Change",
    "DirectoryItem",
    "DirectoryResult",
    "ItemRow",
    "ItemRows",
    "NewCampaign",
    "NewUser",
    "Saved",
    "assign_users",
    "fields_of",
    "file_fields",
    "read_items",
    "save_campaigns",
    "save_users",
    "users_named",
]
