/**
 * The worker of a page with runs of a program in WebAssembly, which stands before it.
 *
 * @module
 */

import { runInWasm } from "../wasm.ts";
import { compileWasm } from "../wasm_program.ts";
import { serveRuns } from "./simulator/simulator.ts";

/** The program as the page has it: its bytes are the characters of a text. */
export interface PageWasm {
  readonly path: string;
  readonly text: string;
}

const { eddyProgram: { path, text } } = globalThis as unknown as { readonly eddyProgram: PageWasm };

serveRuns(async ({ program: planned, args, options }, hooks) => {
  if (!("Suspending" in WebAssembly)) {
    throw new Error(
      "Cannot run a program in WebAssembly in this browser: it does not let one wait (JSPI), as " +
        "Chromium does from version 137 on",
    );
  }
  const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
  const program = compileWasm(planned?.bin ?? path, path, bytes);
  return await runInWasm(program, args, options, hooks);
});
