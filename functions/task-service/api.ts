import { TASK_STATES, taskNameSchema } from 'baton-tasks';
import { createApi, cursorOf, notFound, pageQuery, Problem, route } from 'baton-tasks/http';
import { taskPositionSchema } from 'baton-tasks/service';
import * as z from 'zod';
import { history, service } from './service.ts';

const { tasks, taskStore } = service;

/** A task's result may hold anybody's data, and a cancelled task stays undone. */
const OPERATOR = { scopes: ['operator'] } as const;

const listSchema = z.strictObject({
  ...pageQuery,
  state: z.enum(TASK_STATES, { error: `expected one of ${TASK_STATES.join(', ')}` }).optional(),
  name: taskNameSchema.optional(),
});
/** The most ids of broken rows in a line of the log. */
const SHOWN_IDS = 10;
/** All lists have the same order, so a cursor is valid in each of them, also with another filter. */
const cursor = cursorOf(taskPositionSchema);

const getTask = route('GET', '/tasks/{taskId}', { access: OPERATOR }, async ({ param }) => {
  const status = await taskStore.find(param('taskId'));
  if (!status) throw notFound('task', param('taskId'));
  return { status: 200, body: status };
});

const listTasks = route(
  'GET',
  '/tasks',
  { access: OPERATOR, query: listSchema },
  async ({ query, logger }) => {
    const { name, state, limit } = query;
    const page = await history.list({ name, state, limit, after: cursor.decode(query.cursor) });
    if (page.broken.length > 0)
      logger.warn(
        { taskIds: page.broken.slice(0, SHOWN_IDS) },
        'broken rows of tasks are left out of a list',
      );
    return { status: 200, body: { tasks: page.tasks, nextCursor: cursor.encode(page.next) } };
  },
);

const cancelTask = route(
  'POST',
  '/tasks/{taskId}/cancel',
  { access: OPERATOR },
  async ({ caller, param }) => {
    const taskId = param('taskId');
    const status = await tasks.cancel(taskId, { by: caller.subject });
    if (!status) throw notFound('task', taskId);
    if (status.state === 'cancelled') return { status: 200, body: status };
    throw new Problem('task-ended', {
      detail: `The task ${JSON.stringify(taskId)} is ${status.state}; expected a task that has not ended.`,
    });
  },
);

/** The API of task-service. */
export const handler = createApi(service, [getTask, listTasks, cancelTask]);
