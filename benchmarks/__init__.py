"""Speed and size of Stats Tools on PostgreSQL: `python -m benchmarks --help`.

Everything is measured over real HTTP, beside a floor and beside plain Django, in the same run. `workload` makes the
clicks, `databases` loads them, `servers` and `cpu` ask and measure, `cases` says what is asked, `report` prints it.
"""
