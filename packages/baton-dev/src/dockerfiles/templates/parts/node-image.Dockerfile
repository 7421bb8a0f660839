# The version that package-lock.json brings for development: what is tested is what runs.
ARG NODE_IMAGE=node:24.21.0-bookworm-slim
