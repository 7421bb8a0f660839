# Stands in for AWS beside LocalStack when the system runs in containers. The build context is the root of the repository:
#   docker build -f {{folder}}/Dockerfile --target gateway -t baton/gateway .
#   docker build -f {{folder}}/Dockerfile --target resources -t baton/resources .
# Both know every service's functions.yml: build them again after a change of one.

# include node-image

# What the lock lists. It copies manifests alone, so a change of code installs nothing.
FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages/baton/package.json packages/baton/
COPY {{folder}}/package.json {{folder}}/
COPY common/package.json common/
# include npm-ci workspace="{{folder}} --workspace common"

# Bundles each entry into one file, and writes the stack as contracts and every functions.yml describe it
FROM dependencies AS build
COPY packages packages
COPY common common
RUN npm run --silent bundle:image -- \
    {{folder}}/src/containers/gateway/main.ts {{folder}}/src/containers/resources/main.ts \
    --entry-names=[dir] --outbase={{folder}}/src/containers --outdir=/bundle
COPY functions functions
COPY worker/functions.yml worker/
RUN node {{folder}}/src/containers/describe-stack.ts /bundle/stack.json

# include init

FROM ${NODE_IMAGE} AS base
COPY --from=init /usr/bin/tini /usr/bin/tini
WORKDIR /app
# It listens on the same port as every service.
# include source-maps variables="HOST=0.0.0.0 PORT=8000 STACK_FILE=stack.json"
COPY --from=build /bundle/stack.json ./
EXPOSE 8000
STOPSIGNAL SIGTERM
ENTRYPOINT ["tini", "--"]

# Creates queues and tables, and writes down which function consumes which queue, and a secret for those who invoke them
FROM base AS resources
COPY --from=build /bundle/resources.mjs* ./
# A new volume that is mounted here belongs to the user node, because this folder does.
RUN mkdir /run/baton && chown node:node /run/baton
ENV EVENT_SOURCES_FILE=/run/baton/event-sources.json FUNCTIONS_TOKEN_FILE=/run/baton/functions-token
USER node
# include health port="PORT" interval="5s" start="60s" retries="2"
CMD ["node", "resources.mjs"]
# include labels title="resources" description="Sees to it that the queues and tables of all services are there"

# Routes requests to services, and invocations to their functions
FROM base AS gateway
COPY --from=build /bundle/gateway.mjs* ./
ENV FUNCTIONS_PORT=9000 HEALTH_PORT=9090
USER node
EXPOSE 9000
# The services behind it have a health of their own.
# include health port="HEALTH_PORT" interval="10s" start="30s" retries="3"
# Without a limit the young generation of the heap grows by tens of MB, and what many callers send at once leaves them full.
CMD ["node", "--max-semi-space-size=4", "gateway.mjs"]
# include labels title="gateway" description="Routes requests and invocations to the services that they are for"
