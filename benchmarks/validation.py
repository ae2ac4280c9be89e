"""Microseconds that the validator takes for one resource, beside reading the same resource as JSON in the same run.

    .venv/bin/python -m benchmarks.validation FILE... [--each 200]

FILE is NDJSON, gzipped or not, one resource a line, such as a bulk export; Bundles count as one resource. Each resource
is measured as the best of five; the table shows the median, p95 and p99 over the resources of a type.
"""

import argparse
import gzip
import os
import statistics
import timeit
from collections import defaultdict
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "healthrecords.settings")

from healthrecords.fhir.validation import validate
from healthrecords.jsontext import parse_json


def texts_by_type(files: list[Path], most: int) -> dict[str, list[bytes]]:
    """The first lines of each resource type."""
    found: dict[str, list[bytes]] = defaultdict(list)
    for path in files:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
            for line in lines:
                kind = parse_json(line)["resourceType"]
                if len(found[kind]) < most:
                    found[kind].append(line)
    return found


def best(function) -> float:
    """The shortest of five runs, microseconds."""
    return min(timeit.repeat(function, number=1, repeat=5)) * 1e6


def percentiles(times: list[float]) -> str:
    ordered = sorted(times)
    return "".join(f"{ordered[int(len(ordered) * share)]:10.0f}" for share in (0.5, 0.95, 0.99))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--each", type=int, default=200, help="resources of each type")
    options = parser.parse_args()
    print(f"{'type':20}{'number':>8}{'bytes':>8}{'read, median':>14}{'validate: p50':>16}{'p95':>10}{'p99':>10}  µs")
    for kind, texts in sorted(texts_by_type(options.files, options.each).items()):
        bodies = [parse_json(text) for text in texts]
        reading = statistics.median(best(lambda text=text: parse_json(text)) for text in texts)
        times = [best(lambda body=body: validate(body)) for body in bodies]
        size = statistics.median(map(len, texts))
        print(f"{kind:20}{len(texts):8}{size:8.0f}{reading:14.0f}      {percentiles(times)}")


if __name__ == "__main__":
    main()
