import { createRequire } from 'node:module';
import type vm from 'node:vm';

/**
 * Has `vm` compile each source once in this process. Jest gives the same sources to `vm` again for every file of tests,
 * and each time V8 compiles them anew.
 */
export function keepCompiledCode(): void {
  // The module that Jest calls: an import of it has copies of its functions
  const shared = createRequire(import.meta.url)('node:vm') as typeof vm;
  shared.compileFunction = keepingFunctions(shared.compileFunction);
  shared.SourceTextModule = keepingModules(shared.SourceTextModule);
}

function keepingFunctions(compile: typeof vm.compileFunction): typeof vm.compileFunction {
  const compiled = new Map<string, Buffer | undefined>();
  return (source, parameters, options) => {
    const cachedData = compiled.get(source);
    if (cachedData) return compile(source, parameters, { ...options, cachedData });
    const made = compile(source, parameters, { ...options, produceCachedData: true });
    compiled.set(source, made.cachedData);
    return made;
  };
}

function keepingModules(SourceTextModule: typeof vm.SourceTextModule): typeof vm.SourceTextModule {
  const compiled = new Map<string, Buffer>();
  return class extends SourceTextModule {
    constructor(source: string, options?: vm.SourceTextModuleOptions) {
      const cachedData = compiled.get(source);
      super(source, cachedData ? { ...options, cachedData } : options);
      // Its types leave this method out
      if (!cachedData) compiled.set(source, (this as unknown as vm.Script).createCachedData());
    }
  };
}
