"""The staff pages: workspaces, and of each its overview, campaigns and users, with CSV."""
