process.stdout.write('loading\n');

/** Says, when it is imported, that a program has begun to load: the modules that are imported after it come later. */
export const saidLoading = true;
