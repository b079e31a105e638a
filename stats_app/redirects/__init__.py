"""The view of tracked links: it redirects to the link's target and records the click."""
