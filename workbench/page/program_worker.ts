/**
 * The worker of a page with runs of a program in TypeScript or JavaScript, which stands before it.
 *
 * @module
 */

import { type RealmEngine, runInRealms } from "../realm.ts";
import { pageHost } from "./simulator/node_modules.ts";
import { localizeLanguage, programScope } from "./simulator/program_scope.ts";
import { serveRuns } from "./simulator/simulator.ts";

/** The program as the page has it: a function of its globals. */
export interface PageProgram {
  readonly path: string;
  readonly evaluate: (scope: Readonly<Record<string, unknown>>) => Promise<void>;
}

const { eddyProgram: { path, evaluate } } = globalThis as unknown as {
  readonly eddyProgram: PageProgram;
};

const engine: RealmEngine = {
  path,
  host: pageHost,
  open: (globals, out) => {
    const scope = programScope(globals, out);
    return { evaluate: () => evaluate(scope) };
  },
  trace: (stack) => stack,
};

localizeLanguage();
serveRuns(({ args, options }, hooks) => runInRealms(engine, args, options, hooks));
