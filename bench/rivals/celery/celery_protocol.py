"""The protocol of bench/protocol.ts in Python: the environment, the tasks and the lines on descriptor 3."""

import json
import os
import sys
import threading
import time

import psutil

LINES_FD = 3
CANNOT = 64

ROLE = os.environ.get("BENCH_ROLE", "work")
QUEUE_URLS = [url for url in os.environ.get("BENCH_QUEUE_URLS", "").split(",") if url]
CONCURRENCY = int(os.environ.get("BENCH_CONCURRENCY", "10"))
TASKS = int(os.environ.get("BENCH_TASKS", "0"))
JOBS = os.environ.get("BENCH_JOBS", "noop")
FIRST_ID = int(os.environ.get("BENCH_FIRST_ID", "0"))
IN_FLIGHT = int(os.environ.get("BENCH_IN_FLIGHT", "1"))
BATCH = os.environ.get("BENCH_BATCH") == "1"
RATE = float(os.environ.get("BENCH_RATE", "0"))
RECORD = os.environ.get("BENCH_RECORD") == "1"
PROGRESS_EVERY = int(os.environ.get("BENCH_PROGRESS_EVERY", "0"))


def now_ms():
    """Epoch milliseconds, with fractions."""
    return time.time() * 1000


def cannot(reason):
    """Ends the program because Celery cannot do the job."""
    print(reason, file=sys.stderr, flush=True)
    os._exit(CANNOT)


def write(**line):
    """Writes a line of the protocol, however long."""
    left = memoryview((json.dumps(line) + "\n").encode())
    while left:
        left = left[os.write(LINES_FD, left) :]


def jobs():
    """Generates the tasks to send. Each gets its time stamp when it is taken."""
    name, _, size = JOBS.partition(":")
    pad = {"pad": "x" * max(0, int(size) - 70)} if name == "bytes" else {}
    for number in range(FIRST_ID, FIRST_ID + TASKS):
        ms = int(size) if name == "sleep" else 0
        if name == "mixed":
            ms = 1000 if number % 10 == 0 else 5
        yield {"id": number, "ms": ms, "sentAtMs": now_ms(), **pad}


class Usage:
    """CPU time since `go` and memory of this process and its children."""

    def __init__(self):
        self._me = psutil.Process()
        self._go_at_ms = 0
        self._cpu_at_go_ms = 0

    def ready(self):
        """Writes `ready` and waits until the bench says `go`. Ends the process when the bench ends."""
        write(event="ready")
        while (said := os.read(0, 1024)) and b"go" not in said:
            pass
        if not said:
            os._exit(0)
        self._go_at_ms = now_ms()
        self._cpu_at_go_ms = self._cpu_ms()

    def seen(self):
        """The usage for the line `finished`."""
        peak = sum(_peak_mb(process) for process in self._family())
        return {"goAtMs": self._go_at_ms, "cpuMs": self._cpu_ms() - self._cpu_at_go_ms, "peakMb": peak}

    def resident_mb(self):
        """Mebibytes resident now."""
        return sum(process.memory_info().rss for process in self._family()) / 2**20

    def _family(self):
        return [self._me, *self._me.children(recursive=True)]

    def _cpu_ms(self):
        times = [process.cpu_times() for process in self._family()]
        return sum(each.user + each.system for each in times) * 1000


def _peak_mb(process):
    try:
        with open(f"/proc/{process.pid}/status", encoding="utf-8") as status:
            line = next(line for line in status if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    except OSError:
        return process.memory_info().rss / 2**20


class Work:
    """Counts handled tasks, and writes the lines that are due."""

    def __init__(self, usage):
        self._usage = usage
        self._lock = threading.Lock()
        self._ids = set()
        self._handled = 0
        self._first_at_ms = 0
        self._records = []

    def done(self, job, started_at_ms):
        """Counts one task. Any thread or greenlet may call it."""
        finished_at_ms = now_ms()
        with self._lock:
            self._handled += 1
            self._ids.add(job["id"])
            if self._handled == 1:
                self._first_at_ms = started_at_ms
            if RECORD:
                self._records.append([job["ms"], job["sentAtMs"], started_at_ms, finished_at_ms])
            if PROGRESS_EVERY and self._handled % PROGRESS_EVERY == 0:
                resident = self._usage.resident_mb()
                write(event="progress", tasks=self._handled, residentMb=resident, atMs=finished_at_ms)
            if self._handled == TASKS:
                self._finish(finished_at_ms)

    def _finish(self, last_at_ms):
        records = {"records": self._records} if RECORD else {}
        repeats = self._handled - len(self._ids)
        at = {"firstAtMs": self._first_at_ms, "lastAtMs": last_at_ms}
        write(event="finished", tasks=TASKS, repeats=repeats, **at, **self._usage.seen(), **records)
