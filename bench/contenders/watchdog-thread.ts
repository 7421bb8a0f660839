// A bundle that runs a worker needs a bundle of the worker's watchdog thread beside it
// oxlint-disable-next-line import/no-unassigned-import -- it is run, and exports nothing
import 'baton-tasks/internal/worker/threads/watchdog-thread';
