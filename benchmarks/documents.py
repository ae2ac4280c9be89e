"""Documents over HTTP beside the same objects from the store: latency, and memory with large content.

    .venv/bin/python -m benchmarks.documents [--rounds 300] [--large 200] [--scanner] [--output FILE]

Starts a server of its own on a throwaway directory. Each request to the API is followed by one to the store for the
same (sealed) object, so that both meet the same noise; each reading of the API commits its row in the access log. With
--scanner each upload passes clamd as well.
"""

import argparse
import hashlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any

import psutil
import requests

from benchmarks.api import scratch_server
from documents.tests.scanners import clamd_running

KB, MB = 1024, 1024 * 1024
_BLOCK = os.urandom(MB)
LIMITS = {"StreamMaxLength": "250M", "MaxFileSize": "1100M", "MaxScanSize": "1100M", "AlertExceedsMax": "yes"}


class Side:
    """One connection to the API, and one to the store."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.api, self.store = url, requests.Session(), requests.Session()
        self.api.headers["Authorization"] = f"Bearer {token}"

    def send(self, content: Any, size: int) -> str:
        """Upload content and return its address."""
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        answer = self.api.post(f"{self.url}/fhir/Binary", data=content, headers=headers, timeout=600)
        answer.raise_for_status()
        return f"{self.url}/fhir/Binary/{answer.json()['id']}"

    def get(self, address: str) -> None:
        _whole(self.api.get(address, timeout=60))

    def get_object(self, address: str) -> None:
        _whole(self.store.get(address, timeout=60))

    def put_object(self, address: str, content: bytes) -> None:
        self.store.put(address, data=content, timeout=60).raise_for_status()


def _whole(answer: requests.Response) -> None:
    answer.raise_for_status()
    if not answer.content:
        raise ValueError("an empty answer")


def signed(operation: str, name: str) -> str:
    """An address of the store by which an object can be fetched or put without the library that signs."""
    from django.conf import settings

    from documents import storage

    params = {"Bucket": settings.S3_BUCKET, "Key": name}
    return str(storage.client().generate_presigned_url(operation, Params=params, ExpiresIn=3600))


def object_of(address: str) -> str:
    """The name of the object behind an address of the API."""
    from documents.models import Content

    return str(Content.objects.get(pk=address.rpartition("/")[2]).object_name)


def alternate(rounds: int, one: Callable[[], Any], other: Callable[[], Any]) -> tuple[list[float], list[float]]:
    """Milliseconds of each call of both, turn by turn, after a few that do not count."""
    taken: tuple[list[float], list[float]] = ([], [])
    for turn in range(-10, rounds):
        for call, times in zip((one, other), taken, strict=True):
            started = time.perf_counter()
            call()
            if turn >= 0:
                times.append((time.perf_counter() - started) * 1000)
    return taken


def latency(side: Side, rounds: int) -> str:
    """The table of both, with the ratio of their medians."""
    small, large = os.urandom(100 * KB), os.urandom(MB)
    lines = [
        "| | p50 ms | p95 ms | p99 ms | store p50 ms | p95 ms | p99 ms | ratio of p50 |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, content in (("retrieve 100 KB", small), ("retrieve 1 MB", large)):
        address = side.send(content, len(content))
        direct = signed("get_object", object_of(address))
        lines.append(_row(name, *alternate(rounds, lambda a=address: side.get(a), lambda d=direct: side.get_object(d))))
    put = signed("put_object", "benchmark")
    sent = alternate(rounds, lambda: side.send(large, len(large)), lambda: side.put_object(put, large))
    lines.append(_row("upload 1 MB", *sent))
    return "\n".join(lines)


def _row(name: str, ours: list[float], theirs: list[float]) -> str:
    (p50, p95, p99), (s50, s95, s99) = _percentiles(ours), _percentiles(theirs)
    return f"| {name} | {p50:.1f} | {p95:.1f} | {p99:.1f} | {s50:.1f} | {s95:.1f} | {s99:.1f} | {p50 / s50:.1f} |"


def _percentiles(times: list[float]) -> tuple[float, float, float]:
    cuts = quantiles(times, n=100)
    return cuts[49], cuts[94], cuts[98]


@contextmanager
def memory() -> Iterator[dict[str, float]]:
    """MB of the largest web process before the block, and its peak in it."""
    workers = [each for each in psutil.Process().children(recursive=True) if "gunicorn" in " ".join(each.cmdline())]
    found, ended = {"before": _largest(workers), "peak": 0.0}, threading.Event()

    def watch() -> None:
        while not ended.wait(0.02):
            found["peak"] = max(found["peak"], _largest(workers))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield found
    finally:
        ended.set()
        watcher.join()


def _largest(workers: list[psutil.Process]) -> float:
    return max(each.memory_info().rss for each in workers) / MB


def blocks(count: int, digest: Any = None) -> Iterator[bytes]:
    """`count` MB that differ from each other, a piece at a time."""
    for number in range(count):
        piece = number.to_bytes(8) + _BLOCK[8:]
        if digest:
            digest.update(piece)
        yield piece


class Sized:
    """A stream of known length, which requests sends as it is made."""

    def __init__(self, count: int, digest: Any = None) -> None:
        self._pieces, self._length = blocks(count, digest), count * MB

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def __len__(self) -> int:
        return self._length


def large(side: Side, count: int) -> list[str]:
    """Up and down with one large content: seconds, memory, and whether it is the same."""
    sent, got, started = hashlib.sha256(), hashlib.sha256(), time.perf_counter()
    with memory() as up:
        address = side.send(Sized(count, sent), count * MB)
    up_seconds, started = time.perf_counter() - started, time.perf_counter()
    with memory() as down, side.api.get(address, stream=True, timeout=600) as answer:
        for piece in answer.iter_content(MB):
            got.update(piece)
    down_seconds = time.perf_counter() - started
    middle = count // 2 * MB
    part = side.api.get(address, headers={"Range": f"bytes={middle}-{middle + 7}"}, timeout=60)
    right = part.status_code == 206 and part.content == (count // 2).to_bytes(8)
    return [
        f"* {count} MB up in {up_seconds:.1f} s: the web process had {up['before']:.0f} MB, {up['peak']:.0f} at most",
        f"* {count} MB down in {down_seconds:.1f} s: {down['before']:.0f} MB, {down['peak']:.0f} at most",
        f"* SHA-256 {'equal' if sent.digest() == got.digest() else 'DIFFERENT'}",
        f"* 8 bytes of the middle by Range: {'right' if right else 'WRONG'}",
    ]


def at_once(side: Side, uploads: int, count: int) -> str:
    """Several large uploads at the same time."""
    token, started = side.api.headers["Authorization"], time.perf_counter()

    def one(_: int) -> str:
        return Side(side.url, str(token).removeprefix("Bearer ")).send(Sized(count), count * MB)

    with memory() as used, ThreadPoolExecutor(uploads) as pool:
        stored = len(set(pool.map(one, range(uploads))))
    seconds, told = time.perf_counter() - started, f"{used['before']:.0f} MB, {used['peak']:.0f} at most"
    return f"* {stored} uploads of {count} MB at once in {seconds:.1f} s: {told}"


@contextmanager
def scanner(wanted: bool) -> Iterator[None]:
    """A clamd that the server asks, if wanted."""
    if not wanted:
        yield
        return
    with TemporaryDirectory() as folder, clamd_running(Path(folder), LIMITS) as os.environ["HEALTHCARE_CLAMAV"]:
        yield


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=300)
    options.add_argument("--large", type=int, default=200, help="MB of the one large content")
    options.add_argument("--scanner", action="store_true", help="have clamd look at each upload")
    options.add_argument("--output", type=Path)
    chosen = options.parse_args()
    with scanner(chosen.scanner), scratch_server() as (url, _):
        side = Side(url, _token())
        text = "\n".join([latency(side, chosen.rounds), "", *large(side, chosen.large), at_once(side, 10, 50)])
    print(text)
    if chosen.output:
        chosen.output.write_text(text + "\n")
    if "DIFFERENT" in text or "WRONG" in text:
        sys.exit(1)


def _token() -> str:
    import django

    django.setup()

    from healthrecords.accounts.models import ApiToken, Role

    return ApiToken.issue("benchmark", Role.objects.get(name="integrator"), [], 1)[1]


if __name__ == "__main__":
    main()
