"""The sender."""

import os
import threading
import time

from celery_app import app
from celery_protocol import IN_FLIGHT, RATE, TASKS, Usage, cannot, jobs, now_ms, write

usage = Usage()
if os.environ.get("BENCH_BATCH") == "1":
    cannot("Celery sends to SQS one by one")
taking = threading.Lock()
left = jobs()


def take():
    with taking:
        return next(left, None)


def lane():
    while (job := take()) is not None:
        app.send_task("job", (job,))


with app.producer_or_acquire() as producer:
    producer.connection.ensure_connection()
usage.ready()
first_at_ms = now_ms()
if RATE:
    start = time.monotonic()
    for number, job in enumerate(left):
        ahead = start + number / RATE - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)
        job["sentAtMs"] = now_ms()
        app.send_task("job", (job,))
else:
    lanes = [threading.Thread(target=lane) for _ in range(IN_FLIGHT)]
    for each in lanes:
        each.start()
    for each in lanes:
        each.join()
write(event="finished", tasks=TASKS, firstAtMs=first_at_ms, lastAtMs=now_ms(), **usage.seen())
os._exit(0)
