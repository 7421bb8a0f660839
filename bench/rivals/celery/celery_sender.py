"""Celery's sender."""

import os
import threading
import time

from celery_app import app, first_queue
from celery_protocol import BATCH, IN_FLIGHT, RATE, TASKS, Usage, cannot, jobs, now_ms, write

taking = threading.Lock()


def main():
    """Sends all tasks, IN_FLIGHT at a time or RATE per second. Writes `finished` once the broker has all of them."""
    if BATCH:
        cannot("Celery has no batch API for SQS")
    usage = Usage()
    with app.producer_or_acquire() as producer:
        # Creates the SQS client now, not at the first send
        producer.connection.default_channel.sqs(queue=first_queue)
    usage.ready()
    first_at_ms = now_ms()
    left = jobs()
    send = send_at_pace if RATE else send_each
    lanes = [threading.Thread(target=send, args=(left,)) for _ in range(1 if RATE else IN_FLIGHT)]
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join()
    write(event="finished", tasks=TASKS, firstAtMs=first_at_ms, lastAtMs=now_ms(), **usage.seen())
    os._exit(0)


def send_each(left):
    """Sends one task after the other until none is left."""
    while (job := take(left)) is not None:
        app.send_task("job", (job,))


def take(left):
    """The next task."""
    with taking:
        return next(left, None)


def send_at_pace(left):
    """Sends at an even pace, as far as one thread can keep it."""
    start = time.monotonic()
    for number in range(TASKS):
        time.sleep(max(0, start + number / RATE - time.monotonic()))
        app.send_task("job", (next(left),))
