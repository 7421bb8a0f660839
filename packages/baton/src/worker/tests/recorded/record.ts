// Records the bytes of this version: node packages/baton/src/worker/tests/recorded/record.ts FOLDER [SCENE]
// Run it for each released version, and for each new scene. A compatible change needs no new recording.

import { mkdirSync, writeFileSync } from 'node:fs';
import { startBackends } from '../../../../tests/support/backends.ts';
import { fileOf, play, scenes } from './recording.ts';

const [folder = '', only] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const backends = await startBackends([]);
try {
  for (const scene of scenes.filter(({ name }) => only === undefined || name === only)) {
    const steps = await play(scene, backends);
    writeFileSync(`${folder}/${scene.name}.json`, fileOf(steps));
    console.log(`${scene.name}: ${steps.length} steps`);
  }
} finally {
  await backends.stop();
}
