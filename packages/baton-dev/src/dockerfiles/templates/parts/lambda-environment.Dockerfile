WORKDIR /var/task
# include source-maps variables="LAMBDA_TASK_ROOT=/var/task"
COPY --from=lambda-runtime /runtime /runtime
