# `--enable-source-maps` loads the maps at start (26 MB a process). This loads them with the first stack trace.
ENV NODE_OPTIONS="--import=data:text/javascript,process.setSourceMapsEnabled(true)" {{variables}}
