# As PID 1, Node would not reap orphans, and would ignore a signal that comes before it listens for it.
FROM ${NODE_IMAGE} AS init
RUN apt-get update \
    && apt-get install --yes --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/*
