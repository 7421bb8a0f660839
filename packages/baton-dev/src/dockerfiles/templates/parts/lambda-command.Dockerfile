USER node
# The command names the handler, as in AWS's own images. The shell has it as $0, the client as _HANDLER.
ENTRYPOINT ["sh", "-c", "export _HANDLER=\"$0\"; exec node /runtime/index.mjs"]
CMD ["{{handler}}"]
