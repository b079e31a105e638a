"""The staff pages: the workspaces, and the overview, campaigns and users of each, also as CSV."""
