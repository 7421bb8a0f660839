"""Celery on SQS, set up alike for the worker and the sender."""

import os
from urllib.parse import urlsplit

from celery import Celery

from celery_protocol import QUEUE_URL

endpoint = urlsplit(os.environ["AWS_ENDPOINT_URL_SQS"])
queue = QUEUE_URL.rsplit("/", 1)[-1]
key, secret = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]

app = Celery("bench", broker=f"sqs://{key}:{secret}@{endpoint.netloc}")
app.conf.update(
    broker_transport_options={
        "is_secure": endpoint.scheme == "https",
        "region": os.environ["AWS_REGION"],
        "predefined_queues": {queue: {"url": QUEUE_URL, "access_key_id": key, "secret_access_key": secret}},
        "wait_time_seconds": 20,
        "polling_interval": float(os.environ.get("X_POLL", "0")),
        "sqs_base64_encoding": False,
    },
    task_default_queue=queue,
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=int(os.environ.get("X_PREFETCH", "1")),
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=False,
)
