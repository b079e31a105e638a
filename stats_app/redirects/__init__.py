"""The redirect of tracked links: whoever follows one is led on at once, and the click is recorded."""
