RUN --mount=type=cache,target=/root/.npm \
    npm ci --workspace {{workspace}} --ignore-scripts --no-audit --loglevel error
