process.stdout.write('loading\n');

/** Importing this module writes that the program has started to load. Import it before the slow modules. */
export const saidLoading = true;
