/**
 * The same handlers between machines, and sweeps over many of them, on a NATS server.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { UsageError } from "@eddy/maelstrom/flags";
import { stderrLog } from "@eddy/maelstrom/stdio";
import { endWithLauncher, enterCallersFolder } from "@eddy/workbench/cli/command_name.ts";
import { BAD_ARGUMENTS, BROKEN } from "@eddy/workbench/cli/exit_codes.ts";

type Run = (args: readonly string[]) => Promise<number>;

/** What there is beside workloads; each is loaded when it is asked for. */
const commands: Readonly<Record<string, () => Promise<Run>>> = {
  sweep: async () => (await import("./sweep.ts")).sweepOverNats,
  worker: async () => (await import("./worker.ts")).workerCommand,
  test: async () => (await import("./test.ts")).testOverNats,
  call: async () => (await import("./call.ts")).callCommand,
  services: async () => (await import("./services.ts")).servicesCommand,
};

/** Obeys a command line and returns the exit code. */
async function main([name = "", ...args]: readonly string[]): Promise<number> {
  try {
    const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (load !== undefined) return await (await load())(args);
    return await (await import("./node.ts")).nodeCommand([name, ...args]);
  } catch (error) {
    stderrLog(errorText(error));
    return error instanceof UsageError ? BAD_ARGUMENTS : BROKEN;
  }
}

if (import.meta.main) {
  enterCallersFolder();
  endWithLauncher();
  Deno.exit(await main(Deno.args));
}
