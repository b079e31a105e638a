"""Speed and size of Stats Tools on PostgreSQL: `python -m benchmarks --help`.

Everything is measured over real HTTP. A minimal view (the floor) and plain Django are measured in the same run for
comparison. `workload` makes the clicks, `databases` loads them, `cases` lists the requests, `servers` and `cpu` send
and measure them, and `report` prints the results.
"""
