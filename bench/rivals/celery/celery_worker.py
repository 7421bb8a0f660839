"""Celery's worker with the gevent pool. Of prefork, threads, gevent and solo, gevent has the highest throughput, the
least CPU per task and the least memory, both for tasks that take no time and for tasks that wait."""

import os
import time

import gevent
from celery.signals import worker_ready
from gevent.os import tp_read

from celery_app import app, queues
from celery_protocol import CONCURRENCY, Usage, Work, now_ms

# Messages that the worker holds at the same time: ten receives of ten. With fewer it waits. Without a limit it takes
# messages that it cannot start within the visibility timeout (user guide, "Prefetch Limits")
WINDOW = 100

usage = Usage()
work = Work(usage)


@app.task(name="job")
def job(payload):
    """A task of the bench."""
    started_at_ms = now_ms()
    if payload["ms"]:
        time.sleep(payload["ms"] / 1000)
    work.done(payload, started_at_ms)


@worker_ready.connect
def wait_for_go(**_):
    """Runs when the worker is connected, just before its first receive."""
    usage.ready()
    gevent.spawn(end_with_bench)


def end_with_bench():
    """Ends the program when standard input ends."""
    while tp_read(0, 1024):
        pass
    os._exit(0)


def main():
    """Runs until a signal stops it."""
    app.conf.worker_prefetch_multiplier = max(1, WINDOW // CONCURRENCY)
    options = ["--pool", "gevent", "--concurrency", str(CONCURRENCY), "--queues", ",".join(queues)]
    # SQS has no broadcasts, so workers cannot talk to each other
    alone = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    app.worker_main(["worker", "--loglevel", "ERROR", *options, *alone])
