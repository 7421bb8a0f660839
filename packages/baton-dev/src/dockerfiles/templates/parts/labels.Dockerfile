ARG VERSION=unknown
ARG REVISION=unknown
ARG SOURCE=unknown
# The process shows the revision in its first line and in its health state.
ENV REVISION=${REVISION}
LABEL org.opencontainers.image.title="{{title}}" \
      org.opencontainers.image.description="{{description}}" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
