"""Celery's program: a worker or a sender, depending on BENCH_ROLE."""

import os

if os.environ.get("BENCH_ROLE") == "send":
    from celery_sender import main
else:
    # Must run before all other imports ("Concurrency with gevent")
    from gevent import monkey

    monkey.patch_all()
    from celery_worker import main

main()
