// `npm run pack -- [folder]`: writes the library's tarball, as it is published, into a folder. Default: the current one.
import { resolve } from 'node:path';
import { print } from '../terminal/print.ts';
import { packLibrary } from './pack.ts';

const [folder = '.'] = process.argv.slice(2);
print(`${packLibrary(resolve(folder))}\n`);
