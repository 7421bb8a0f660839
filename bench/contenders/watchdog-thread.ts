// The worker's: a bundle of it has to stand beside that of whoever runs a worker
// oxlint-disable-next-line import/no-unassigned-import -- it is run, and exports nothing
import '@baton/worker/watchdog-thread';
