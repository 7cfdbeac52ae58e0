/**
 * What runs over a NATS server is a program of its own, whose packages nobody else fetches.
 *
 * @module
 */

import { type Flags, integer, UsageError } from "@eddy/maelstrom/flags";
import { environmentOfChild } from "./command_name.ts";
import type { LoadedCommand } from "./commands.ts";

/** Where a NATS server is, and who may use it. */
export const natsFlags = {
  nats: {
    help: "Where the NATS server is, such as nats://127.0.0.1:4222; several, comma separated",
    value: "URL",
    accepts: "an address such as nats://127.0.0.1:4222, or several, comma separated",
    parse: (text: string) => text.split(",").every(isServer) ? text : undefined,
  },
  creds: { help: "A credentials file for the NATS server", value: "FILE" },
  tlsca: { help: "A certificate to trust the NATS server by; TLS is used then", value: "FILE" },
} satisfies Flags;

/** An address: perhaps a scheme and a user, a host, perhaps a port. */
const SERVER =
  /^\s*(?:(?:nats|tls):\/\/)?(?:[^\s\p{Cc}]*@)?(?:[\w.-]+|\[[\da-fA-F:.]+\])(?::(?<port>\d{1,5}))?\s*$/u;

function isServer(text: string): boolean {
  const found = SERVER.exec(text);
  const port = Number(found?.groups?.port ?? 4222);
  return found !== null && port > 0 && port < 65_536;
}

/**
 * Refuses what says how to use a server where there is none.
 *
 * @throws {UsageError} naming the flag.
 */
export function checkServer(
  { nats, ...others }: { readonly [name in keyof typeof natsFlags]: string | undefined },
): void {
  const [given] = Object.entries(others).filter(([, value]) => value !== undefined);
  if (nats === undefined && given !== undefined) {
    throw new UsageError(`Cannot use --${given[0]} without --nats`);
  }
}

/** The flags of `worker`. */
export const workerFlags = {
  ...natsFlags,
  jobs: {
    help: "How many runs at once (default: one a core)",
    value: "N",
    ...integer(1, 1000),
  },
} satisfies Flags;

/** How many characters the name of a cluster or of a participant may have. */
const MAX_NAME_CHARS = 64;

/** What {@linkcode isSubjectName} accepts, for error messages. */
export const SUBJECT_NAME_RULE: string = `1 to ${MAX_NAME_CHARS} letters, digits, - and _`;

/**
 * Whether a name can be a part of a subject. Others could hold a dot or a wildcard, which would make
 * them another subject, or many.
 */
export function isSubjectName(name: string): boolean {
  return name.length <= MAX_NAME_CHARS && /^[A-Za-z0-9_-]+$/.test(name);
}

/** The flag that names a cluster on a server. */
export const clusterFlag = {
  cluster: {
    help: "The cluster's name; those of other names on the same server do not meet",
    value: "NAME",
    accepts: SUBJECT_NAME_RULE,
    parse: (text: string) => isSubjectName(text) ? text : undefined,
    default: "eddy",
  },
} satisfies Flags;

/** The flags of `call`. */
export const callFlags = {
  ...natsFlags,
  ...clusterFlag,
  timeout: {
    help: "How long to wait for the reply, in ms",
    value: "MS",
    ...integer(1, 3_600_000),
    default: 5000,
  },
} satisfies Flags;

const program = new URL("../../nats/main.ts", import.meta.url);

/** Loads a command that is one of `nats/main.ts`. */
export function overNats(command: string, flags: Flags): LoadedCommand {
  return { flags, run: (args) => runOverNats(command, args) };
}

/** Runs a command of `nats/main.ts` and returns its exit code. */
export async function runOverNats(command: string, args: readonly string[]): Promise<number> {
  const config = new URL("deno.json", program);
  if (program.protocol !== "file:" || !isFile(program) || !isFile(config)) {
    throw new UsageError(
      `Cannot run ${command} over NATS: that needs a copy of Eddy's repository, with its folder nats`,
    );
  }
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--allow-all",
      "--config",
      decodeURIComponent(config.pathname),
      program.href,
      command,
      ...args,
    ],
    env: environmentOfChild(),
  }).spawn();
  const passOn = (["SIGINT", "SIGTERM", "SIGHUP"] as const).map((signal) => {
    // A terminal sends SIGINT to the child as well, which ends both.
    const listener = () => signal === "SIGINT" ? undefined : child.kill(signal);
    Deno.addSignalListener(signal, listener);
    return () => Deno.removeSignalListener(signal, listener);
  });
  const { code } = await child.status;
  passOn.forEach((stop) => stop());
  return code;
}

function isFile(url: URL): boolean {
  try {
    return Deno.statSync(url).isFile;
  } catch {
    return false;
  }
}
