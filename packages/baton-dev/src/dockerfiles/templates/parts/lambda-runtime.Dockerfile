# Compiles AWS's client of the Lambda runtime interface, which is published as source. Nothing of this repository is in
# this stage, so it is built once for all services. `--before` pins what it is compiled with.
FROM ${NODE_IMAGE} AS lambda-runtime
RUN apt-get update \
    && apt-get install --yes --no-install-recommends cmake g++ make python3 xz-utils \
    && rm -rf /var/lib/apt/lists/*
ARG RUNTIME_CLIENT_VERSION=4.0.2
WORKDIR /build
RUN --mount=type=cache,target=/root/.npm \
    npm_config_nodedir=/usr/local npm install --before 2026-11-01 --no-audit --loglevel error \
    "aws-lambda-ric@${RUNTIME_CLIENT_VERSION}" \
    && mkdir /runtime && cd node_modules/aws-lambda-ric \
    && cp index.mjs rapid-client.node LICENSE NOTICE THIRD-PARTY-LICENSES /runtime
