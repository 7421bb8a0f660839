import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { TestEnvironment } from 'jest-environment-node';
import { keepCompiledCode } from './compiled-code.ts';

keepCompiledCode();
// For what this worker of Jest loads itself and what its tests run, in this run and in the next ones
const compiled = fileURLToPath(new URL('../../node_modules/.cache/compiled', import.meta.url));
enableCompileCache(compiled);
process.env['NODE_COMPILE_CACHE'] = compiled;

// At once: Node would first tidy up the memory of all sandboxes, for longer than Jest waits for the end of a worker
if (process.send) process.once('exit', () => process.exit());

/**
 * Jest's environment for a file of tests in Node. It loads the emulators outside of the file's sandbox, once in a worker
 * of Jest: tests talk to them by HTTP alone, and to load them takes longer than most tests.
 */
export default class extends TestEnvironment {
  override async setup(): Promise<void> {
    await super.setup();
    this.global['loadEmulators'] = () => import('baton-dev/embedded/emulators');
  }
}
