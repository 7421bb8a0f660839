import { createRequire } from 'node:module';
import type vm from 'node:vm';

/**
 * Has `vm` compile each source once in this process. Jest gives the same sources to `vm` again for every file of tests,
 * and each time V8 compiles them anew.
 */
export function keepCompiledCode(): void {
  // The module that Jest calls: an import of it has copies of its functions
  const shared = createRequire(import.meta.url)('node:vm') as typeof vm;
  shared.compileFunction = keepingFunctions(shared);
  shared.SourceTextModule = keepingModules(shared.SourceTextModule);
}

/** A script, unlike a function, runs in any sandbox with what V8 has compiled for another one, lazily compiled code too. */
function keepingFunctions({ compileFunction, Script }: typeof vm): typeof vm.compileFunction {
  const scripts = new Map<string, { source: string; script: vm.Script }>();
  return (source, parameters = [], options) => {
    const { filename = '', parsingContext } = options ?? {};
    // What a script imports goes to the sandbox for which it was compiled
    if (!parsingContext || /\bimport\s*\(/.test(source)) return compileFunction(source, parameters, options);
    let kept = scripts.get(filename);
    if (kept?.source !== source) {
      const start = `(function (${parameters.join()}) {`;
      const script = new Script(`${start}${source}\n})`, { filename, columnOffset: -start.length });
      kept = { source, script };
      scripts.set(filename, kept);
    }
    return kept.script.runInContext(parsingContext) as ReturnType<typeof vm.compileFunction>;
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
