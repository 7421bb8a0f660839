// The memory that callers' requests take in this process, shared out among the callers.
import { PeerShares } from './peer-shares.ts';

/** A container has 256 MB, and a body is held up to seven times while it is parsed and stored: as bytes, texts and values. */
const MAX_HELD_BYTES = 16 * 1024 * 1024;

/** The bytes of bodies, and of requests that wait behind another one of their connection. */
export const heldMemory = new PeerShares(MAX_HELD_BYTES);
