"""The Celery app on SQS, shared by the worker and the sender."""

import os
from urllib.parse import urlsplit

from celery import Celery

from celery_protocol import QUEUE_URLS

endpoint = urlsplit(os.environ["AWS_ENDPOINT_URL_SQS"])
key, secret = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
queues = {url.rsplit("/", 1)[-1]: url for url in QUEUE_URLS}
first_queue = next(iter(queues))

app = Celery("bench", broker=f"sqs://{key}:{secret}@{endpoint.netloc}")
app.conf.update(
    broker_transport_options={
        "is_secure": endpoint.scheme == "https",
        "region": os.environ["AWS_REGION"],
        # No requests to find or create queues ("Using Amazon SQS", "Predefined Queues")
        "predefined_queues": {
            name: {"url": url, "access_key_id": key, "secret_access_key": secret} for name, url in queues.items()
        },
        # Only long polls, and the client does not wait between them (kombu.transport.SQS, "Polling Interval")
        "wait_time_seconds": 20,
        "polling_interval": 0,
        # Plain bodies: base64 makes them a third longer
        "sqs_base64_encoding": False,
    },
    task_default_queue=first_queue,
    # Nobody reads results (user guide, "Tips and Best Practices")
    task_ignore_result=True,
    # At least once, like the other contenders: acknowledged after the work, returned if a process of the pool dies
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    # SQS has neither events nor remote control
    worker_send_task_events=False,
    worker_enable_remote_control=False,
    worker_hijack_root_logger=False,
)
