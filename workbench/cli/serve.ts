/**
 * `serve`: the runs of a store in a browser.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { integer, parseFlags, UsageError } from "@eddy/maelstrom/flags";
import { delay } from "@std/async/delay";
import { storeHandler } from "../serve.ts";
import { Interrupts, print } from "./terminal.ts";

/** The flags of `serve`. */
export const serveFlags = {
  port: {
    help: "The port; 0 takes any that is free",
    value: "N",
    ...integer(0, 65535),
    default: 8080,
  },
  host: {
    help: "The address to listen on; others than this machine's own can then read the store",
    value: "ADDRESS",
    default: "127.0.0.1",
  },
};

/** The names of this machine, by which its own browsers may ask. */
const OWN_NAMES = ["127.0.0.1", "localhost", "[::1]"];

/** How long answers may take that are under way when the server is to end, in ms. */
const CLOSING_MS = 1000;

/** Runs the command until it is interrupted, and returns the exit code. */
export async function serveCommand(args: readonly string[]): Promise<number> {
  const { flags: { port, host }, words: [store = "store", extra] } = parseFlags(serveFlags, args);
  if (extra !== undefined) throw new UsageError(`Unexpected argument ${JSON.stringify(extra)}`);
  checkFolder(store);
  const interrupts = new Interrupts("server");
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
  const names = new Set<string>();
  const server = listen(host, port, storeHandler(store, (name) => names.has(name)));
  const { port: actual } = server.addr;
  const name = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  for (const each of new Set([...OWN_NAMES, name])) {
    names.add(`${each}:${actual}`);
    if (actual === 80) names.add(each);
  }
  print(`Runs of ${store} at http://${name}:${actual}/ (Ctrl-C ends it)`);
  interrupts.signal.addEventListener("abort", () => stop());
  await stopped;
  // A browser that reads slowly, or not at all, does not hold up the end.
  await Promise.race([server.shutdown(), delay(CLOSING_MS)]);
  interrupts.stop();
  return 0;
}

/** @throws {UsageError} if there is no such folder. */
function checkFolder(store: string): void {
  try {
    if (Deno.statSync(store).isDirectory) return;
  } catch (cause) {
    const isMissing = cause instanceof Deno.errors.NotFound;
    const why = isMissing ? "there is no such folder" : errorText(cause);
    throw new UsageError(`Cannot serve ${store}: ${why}`, { cause });
  }
  throw new UsageError(`Cannot serve ${store}: it is no folder`);
}

/** @throws {UsageError} if it cannot listen there. */
function listen(
  hostname: string,
  port: number,
  handler: (request: Request) => Promise<Response>,
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({ hostname, port, onListen: () => {}, handler });
  } catch (cause) {
    const why = cause instanceof Deno.errors.AddrInUse
      ? "something else listens there; --port names another, 0 any that is free"
      : errorText(cause);
    throw new UsageError(`Cannot listen on ${hostname}:${port}: ${why}`, { cause });
  }
}
