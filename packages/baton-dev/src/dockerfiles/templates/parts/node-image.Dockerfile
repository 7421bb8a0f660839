# The version that package-lock.json brings for development: what is tested is what runs. `@sha256:...` behind it names
# one build of the image; `npm run supply-chain` says which, and Renovate keeps it up to date.
ARG NODE_IMAGE=node:24.21.0-bookworm-slim
