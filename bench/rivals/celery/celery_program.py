"""Celery on SQS as a contender's program: a worker or a sender, as BENCH_ROLE says."""

import os

if os.environ.get("BENCH_ROLE") == "send":
    from celery_sender import main
else:
    # Before anything else is loaded ("Concurrency with gevent")
    from gevent import monkey

    monkey.patch_all()
    from celery_worker import main

main()
