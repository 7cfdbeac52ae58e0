/**
 * The connection to a NATS server that all commands have, from their three flags.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";
import { UsageError } from "@eddy/maelstrom/flags";
import {
  connect,
  credsAuthenticator,
  type NatsConnection,
  type NodeConnectionOptions,
} from "@nats-io/transport-node";

/** Where a server is, and who may use it: the values of the flags of that name. */
export interface ConnectFlags {
  /** One address or several, comma separated. */
  readonly nats: string | undefined;
  /** A credentials file. */
  readonly creds?: string | undefined;
  /** A file with the certificate, in PEM, to trust the server by; TLS is used then. */
  readonly tlsca?: string | undefined;
}

/** How long the first connection may take. */
const CONNECT_TIMEOUT_MS = 5000;

/** How much time is between two attempts to reach a server that has gone. */
const RECONNECT_WAIT_MS = 500;

/** How many bytes a credentials file or a certificate has at most. */
const MAX_FILE_BYTES = 1 << 20;

/**
 * Connects to a server. A connection that breaks later is made again for as long as it takes.
 *
 * @param name what the server's own monitoring calls this client
 * @throws {UsageError} if no server is named, or a file cannot be used.
 * @throws {Error} if no server answers, or it refuses.
 */
export async function connectTo(
  { nats, creds, tlsca }: ConnectFlags,
  name: string,
): Promise<NatsConnection> {
  const servers = (nats ?? "").split(",").map((url) => url.trim()).filter(Boolean);
  if (servers.length === 0) throw new UsageError("Cannot connect: --nats names no server");
  const options: NodeConnectionOptions = {
    ...userOf(servers[0] ?? ""),
    name,
    servers: servers.map(withoutUser),
    timeout: CONNECT_TIMEOUT_MS,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_WAIT_MS,
    noAsyncTraces: true,
    ...creds !== undefined && {
      authenticator: credsAuthenticator(await readShort("creds", creds)),
    },
    ...tlsca !== undefined && {
      tls: { ca: new TextDecoder().decode(await readShort("tlsca", tlsca)) },
    },
  };
  try {
    return await connect(options);
  } catch (cause) {
    const shown = servers.map(withoutUser).join(", ");
    throw new Error(`Cannot connect to the NATS server ${shown}: ${whyNot(cause)}`, { cause });
  }
}

/** Reads the file of a flag. */
async function readShort(flag: string, path: string): Promise<Uint8Array> {
  try {
    const { isFile, size } = await Deno.stat(path);
    if (!isFile) throw new Error("it is no file");
    if (size > MAX_FILE_BYTES) throw new Error(`it has more than ${MAX_FILE_BYTES} bytes`);
    return await Deno.readFile(path);
  } catch (cause) {
    throw new UsageError(`Cannot read --${flag} ${path}: ${errorText(cause)}`, { cause });
  }
}

/** The user and the password, or the token, that an address may have before its host. */
function userOf(url: string): Pick<NodeConnectionOptions, "user" | "pass" | "token"> {
  const [, before] = /^(?:\w+:\/\/)?(.*)@/s.exec(url) ?? [];
  if (before === undefined) return {};
  const [first = "", second] = before.split(/:(.*)/s).map(decoded);
  return second === undefined ? { token: first } : { user: first, pass: second };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** An address without them, which may be shown. */
function withoutUser(url: string): string {
  return url.replace(/^(\w+:\/\/)?.*@/s, "$1");
}

/** What went wrong, with what lies below: an error of the client often says only that one did. */
function whyNot(error: unknown): string {
  const text = errorText(error);
  const below = error instanceof Error ? error.cause : undefined;
  return below instanceof Error && below.message !== "" && !text.includes(below.message)
    ? `${text}: ${below.message}`
    : text;
}

/** Whether the server is there, which is said when it changes. */
export class ServerWatch {
  /** Whether the connection stands. */
  isThere = true;
  /** Since when, of the process's own time. */
  reachedMs: number = performance.now();

  constructor(connection: NatsConnection, say: (text: string) => void) {
    this.#watch(connection, say).catch((error) => say(errorText(error)));
  }

  async #watch(connection: NatsConnection, say: (text: string) => void): Promise<void> {
    for await (const { type } of connection.status()) {
      if (type === "disconnect" && this.isThere) {
        this.isThere = false;
        say("Lost the NATS server; it is tried again until it is there");
      } else if (type === "reconnect") {
        this.isThere = true;
        this.reachedMs = performance.now();
        say("Reached the NATS server again");
      }
    }
  }
}
