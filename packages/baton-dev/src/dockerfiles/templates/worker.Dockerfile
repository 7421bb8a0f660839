# The images of the worker. The build context is the root of the repository:
#   docker build -f {{folder}}/Dockerfile --target server -t baton/{{name}} .

# include node-image

# What the lock lists for the worker, and esbuild. It copies manifests alone, so a change of code installs nothing.
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
    packages/baton/src/worker/threads/watchdog-thread.ts --external:piscina --entry-names=[name] --outdir=/bundle

# include lambda-runtime

# The implementations of the worker as a function
FROM ${NODE_IMAGE} AS lambda
# include lambda-environment
COPY --from=build /bundle/lambda.mjs* ./
# include lambda-command handler="lambda.handler"
# include labels title="{{name}}, as a function" description="{{description}}"

# include init

# The process that polls. It writes no file, so its root file system may be read-only. It stands last, so it is the default.
FROM ${NODE_IMAGE} AS server
COPY --from=init /usr/bin/tini /usr/bin/tini
WORKDIR /app
# In a container its health has the same port as a service's.
# include source-maps variables="HEALTH_HOST=0.0.0.0 HEALTH_PORT=9090"
# The worker's threads start in a file of piscina, which finds its other files beside it. So piscina is not bundled.
COPY --from=dependencies /app/node_modules/piscina node_modules/piscina
COPY --from=build /bundle/main.mjs* /bundle/thread.mjs* /bundle/watchdog-thread.mjs* ./
USER node
EXPOSE 9090
STOPSIGNAL SIGTERM
# include health port="HEALTH_PORT" interval="10s" start="30s" retries="3"
ENTRYPOINT ["tini", "--"]
# Without a limit the young generation of the heap grows by 100 MB. Four threads that collect it take more CPU than one.
CMD ["node", "--max-semi-space-size=16", "--no-parallel-scavenge", "main.mjs"]
# include labels title="{{name}}" description="{{description}}"
