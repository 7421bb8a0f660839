"""The worker."""

import os
import struct
import sys
import threading
import time
POOL = os.environ.get("X_POOL", "threads")
if POOL == "gevent":
    from gevent import monkey
    monkey.patch_all()

from celery.signals import worker_ready

from celery_app import app
from celery_protocol import CONCURRENCY, Usage, Work, now_ms

usage = Usage()
work = Work(usage)
TIMES = struct.Struct("=qdddd")
reading, writing = os.pipe()


def read():
    """Counts what the pool's processes have handled."""
    rest = b""
    while True:
        rest += os.read(reading, 65536)
        whole = len(rest) // TIMES.size * TIMES.size
        for times in TIMES.iter_unpack(rest[:whole]):
            work.done(*times)
        rest = rest[whole:]


@app.task(name="job")
def job(payload):
    started_at_ms = now_ms()
    if payload["ms"]:
        time.sleep(payload["ms"] / 1000)
    times = (payload["id"], payload["ms"], payload["sentAtMs"], started_at_ms, now_ms())
    if POOL == "prefork":
        os.write(writing, TIMES.pack(*times))
    else:
        work.done(*times)


@worker_ready.connect
def wait_for_go(**_):
    usage.ready()


if POOL == "prefork":
    threading.Thread(target=read, daemon=True).start()
app.worker_main([
    "worker", "--pool", POOL, "--concurrency", os.environ.get("X_CONC", str(CONCURRENCY)), "--loglevel", "ERROR",
    "--without-gossip", "--without-mingle", "--without-heartbeat",
])
