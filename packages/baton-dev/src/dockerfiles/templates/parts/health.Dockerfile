HEALTHCHECK --interval={{interval}} --timeout=5s --start-period={{start}} --start-interval=1s --retries={{retries}} \
    CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.{{port}}}/health/ready`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
