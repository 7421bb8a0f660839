// The worker's: a bundle of it has to stand beside that of whoever runs a worker
import '@baton/worker/watchdog-thread';
