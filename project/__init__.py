"""The example project: what a host of `stats_app` looks like, and what `make demo` runs."""
