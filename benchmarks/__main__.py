"""`python -m benchmarks`: measures, prints the table, and writes it for the documentation."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

DEFAULT_URL = "postgres://root@127.0.0.1/stats_bench"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Speed and size on PostgreSQL, beside a floor. It makes the databases NAME, NAME_small, NAME_staff "
        "and NAME_scratch, and keeps the first three for the next run. PostgreSQL must run on this machine.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--size", type=int, default=5_000_000, help="clicks in the main database (0.2 GB a million)")
    parser.add_argument("--small-size", type=int, help="clicks that growth is measured from (default: a tenth)")
    parser.add_argument("--staff-size", type=int, default=1_000_000, help="clicks behind the pages of staff")
    parser.add_argument("--ingest-clicks", type=int, default=300_000, help="clicks that are recorded and copied")
    parser.add_argument("--import-lines", type=int, default=1_000_000, help="lines of each file that is imported")
    parser.add_argument("--rounds", type=int, default=20, help="rounds that all cases are asked in turn")
    parser.add_argument("--database-url", default=DEFAULT_URL, help="the main database; the others lie beside it")
    parser.add_argument("--fresh", action="store_true", help="load the databases anew")
    parser.add_argument("--drop", action="store_true", help="drop the databases afterwards")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the results as a page, too")
    return parser.parse_args()


def main() -> None:
    options = parse()
    os.environ["BENCH_DATABASE_URL"] = options.database_url
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
    import django

    django.setup()
    from benchmarks import report

    results = measure(options)
    print(report.text(results))
    if options.markdown:
        options.markdown.write_text(report.markdown(results), encoding="utf-8")


def measure(options: argparse.Namespace) -> Any:
    """The `report.Results`. Its modules are imported here, because they need Django set up."""
    from benchmarks import cases, databases, directory, filling, imports, ingest, pages, redirects, report
    from benchmarks.databases import MAIN, SMALL, STAFF
    from benchmarks.servers import serving

    small_size = options.small_size or options.size // 10
    staff_size = options.staff_size
    fillings = (
        (MAIN, options.size, filling.fill),
        (SMALL, small_size, filling.fill),
        (STAFF, staff_size, filling.fill_for_staff),
    )
    for alias, size, fill in fillings:
        log(f"{size:,} clicks in the database {alias} ...")
        databases.prepare(alias, size, options.fresh, fill)
    load = os.getloadavg()[0]
    with serving(MAIN) as main_server, serving(SMALL) as small_server:
        by_case = cases.run({MAIN: main_server, SMALL: small_server}, options.rounds, log)
    with serving(STAFF) as plain_server, serving(STAFF, BENCH_STAFF="1") as staff_server:
        seen = pages.run(plain_server, staff_server, options.rounds, log)
    came_in = ingest.run(options.ingest_clicks, options.rounds, log)
    on_sqlite = ingest.on_sqlite(options.ingest_clicks // 10, log)
    followed = redirects.run(options.rounds, log)
    imported = imports.run(options.import_lines, log)
    people = directory.run(log)
    loads = (load, os.getloadavg()[0])
    results = report.Results(
        options.size, small_size, staff_size, by_case, seen, came_in, on_sqlite, followed, imported, people, loads
    )
    if options.drop:
        for alias in (SMALL, STAFF, MAIN):
            databases.drop(alias)
    return results


def log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
