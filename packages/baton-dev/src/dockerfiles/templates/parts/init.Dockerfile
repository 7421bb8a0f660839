# As PID 1, Node would not reap orphans, would ignore a signal that comes before it listens for it, and could not be killed
# by its own watchdog.
FROM ${NODE_IMAGE} AS init
RUN apt-get update \
    && apt-get install --yes --no-install-recommends tini=0.19.0-1+b3 \
    && rm -rf /var/lib/apt/lists/*
