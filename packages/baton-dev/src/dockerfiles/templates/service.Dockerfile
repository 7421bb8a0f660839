# The images of {{name}}. The build context is the root of the repository:
#   docker build -f {{folder}}/Dockerfile --target server -t baton/{{name}} .

# include node-image

# What the lock lists for this service, and esbuild. It copies manifests alone, so a change of code installs nothing.
FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages/baton/package.json packages/baton/
COPY common/package.json common/
COPY {{folder}}/package.json {{folder}}/
# include npm-ci workspace="{{folder}}"

# Bundles each entry into one file, with a source map beside it
FROM dependencies AS build
COPY packages/baton packages/baton
COPY common common
COPY {{folder}} {{folder}}
RUN npm run --silent bundle:image -- \
    {{entries}} \
    --outdir=/bundle

# include lambda-runtime

# The API as a function, `api.handler`. Another command names another function, such as `handlers.NAME`.
FROM ${NODE_IMAGE} AS lambda
# include lambda-environment
COPY --from=build {{functions}} ./
# include lambda-command handler="api.handler"
# include labels title="{{name}}, as a function" description="{{description}}"

# include init

# The HTTP server. It writes no file, so its root file system may be read-only. It stands last, so it is the default.
FROM ${NODE_IMAGE} AS server
COPY --from=init /usr/bin/tini /usr/bin/tini
WORKDIR /app
# In a container every service listens on the same port, whatever port it is published on. Health has a port of its own,
# which is not published.
# include source-maps variables="HOST=0.0.0.0 PORT=8000 HEALTH_PORT=9090"
COPY --from=build /bundle/main.mjs* ./
USER node
EXPOSE 8000
STOPSIGNAL SIGTERM
# include health port="HEALTH_PORT" interval="10s" start="30s" retries="3"
ENTRYPOINT ["tini", "--"]
# Without a limit the young generation of the heap grows by tens of MB, and what many callers send at once leaves them full.
CMD ["node", "--max-semi-space-size=4", "main.mjs"]
# include labels title="{{name}}" description="{{description}}"
