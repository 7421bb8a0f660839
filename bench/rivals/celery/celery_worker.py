"""The worker, on the pool that was found to be best of prefork, threads, gevent and solo, both for tasks that take no
time and for those that wait: gevent has most tasks a second, the least CPU a task and the least memory."""

import os
import time

import gevent
from celery.signals import worker_ready
from gevent.os import tp_read

from celery_app import app, queues
from celery_protocol import CONCURRENCY, Usage, Work, now_ms

# Messages that are held at one time: ten receives of ten. With fewer the worker waits, with no limit it polls for ever,
# and takes what it cannot start within the visibility timeout (user guide, "Prefetch Limits")
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
    """Is called when the worker is connected, just before it receives for the first time."""
    usage.ready()
    gevent.spawn(end_with_bench)


def end_with_bench():
    """Ends the program when its standard input ends."""
    while tp_read(0, 1024):
        pass
    os._exit(0)


def main():
    """Runs until it is told to stop."""
    app.conf.worker_prefetch_multiplier = max(1, WINDOW // CONCURRENCY)
    options = ["--pool", "gevent", "--concurrency", str(CONCURRENCY), "--queues", ",".join(queues)]
    # There are no other workers that it could talk to: SQS has no broadcasts
    alone = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    app.worker_main(["worker", "--loglevel", "ERROR", *options, *alone])
