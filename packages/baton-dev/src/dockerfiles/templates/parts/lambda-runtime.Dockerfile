# Compiles AWS's client of the Lambda runtime interface, which is published as source, by a lock of its own. No other file
# of this repository is in this stage, so it is built once for all services.
FROM ${NODE_IMAGE} AS lambda-runtime
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        cmake=3.25.1-1 \
        g++=4:12.2.0-3 \
        g++-12=12.2.0-14+deb12u1 \
        make=4.3-4.1 \
        python3=3.11.2-1+b1 \
        xz-utils=5.4.1-1+deb12u1 \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY packages/baton-dev/lambda-runtime/package.json packages/baton-dev/lambda-runtime/package-lock.json ./
RUN --mount=type=cache,target=/root/.npm \
    npm_config_nodedir=/usr/local npm ci --no-audit --loglevel error \
    && mkdir /runtime && cd node_modules/aws-lambda-ric \
    && cp index.mjs rapid-client.node LICENSE NOTICE THIRD-PARTY-LICENSES /runtime
