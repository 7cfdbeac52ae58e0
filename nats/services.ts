/**
 * Maelstrom's services as a small process: lin-kv, seq-kv, lww-kv and lin-tso, each on a subject of
 * its own. They are those of the workbench, and keep what they know in memory.
 *
 * @module
 */

import {
  ErrorCode,
  errorText,
  type JsonObject,
  type Output,
  type Random,
  Received,
  systemRandom,
} from "@eddy/maelstrom";
import { parseMessage, quote } from "@eddy/maelstrom/message";
import { describeFlags, type Flags, parseFlags, UsageError } from "@eddy/maelstrom/flags";
import { guardProcess, stderrLog, stdoutLine } from "@eddy/maelstrom/stdio";
import { natsFlags } from "@eddy/workbench/cli/nats.ts";
import { LinKv, LwwKv, SeqKv, type Service, TimestampService } from "@eddy/workbench/services.ts";
import type { NatsConnection } from "@nats-io/transport-node";
import { connectTo } from "./connect.ts";
import type { Receiver } from "./input_queue.ts";
import { firstOf, ServerLink } from "./server_link.ts";
import { clusterFlag } from "./subjects.ts";
import { NatsTransport } from "./transport.ts";

/** The services by name, each empty at first. */
const makers: Readonly<Record<string, () => Service>> = {
  "lin-kv": () => new LinKv(),
  "seq-kv": () => new SeqKv(),
  "lww-kv": () => new LwwKv(),
  "lin-tso": () => new TimestampService(),
};

const names = Object.keys(makers);

const servicesFlags = {
  ...natsFlags,
  ...clusterFlag,
  only: {
    help: "Which services, comma separated",
    value: "NAMES",
    accepts: `some of ${names.join(", ")}, comma separated`,
    parse: serviceNames,
    default: names,
  },
  help: { help: "Say this" },
} satisfies Flags;

function serviceNames(text: string): readonly string[] | undefined {
  const given = text.split(",").map((name) => name.trim());
  return given.every((name) => names.includes(name)) ? [...new Set(given)] : undefined;
}

const help = `Usage: nats/main.ts services --nats URL [flags]

Maelstrom's services for the nodes of a cluster. They keep their state in memory: when the process
ends, all of it is gone.

${describeFlags(servicesFlags)}`;

/** Serves the services until a signal comes, and returns the exit code. */
export async function servicesCommand(args: readonly string[]): Promise<number> {
  const { flags, words, rest } = parseFlags(servicesFlags, args);
  const [extra] = [...words, ...rest];
  if (extra !== undefined) {
    throw new UsageError(`Unexpected argument ${JSON.stringify(extra)}: only flags are accepted`);
  }
  if (flags.help) {
    stdoutLine(help);
    return 0;
  }
  const { cluster, only } = flags;
  const connection = await connectTo(flags, `eddy services of ${cluster}`);
  const { stopped } = guardProcess();
  await serveServices(connection, { cluster, only, stopped, log: stderrLog });
  return 0;
}

/**
 * Serves services on a connection, until they are stopped; then closes the connection.
 *
 * @throws {Error} if another process serves one of them, or the connection ends for good.
 */
export async function serveServices(
  connection: NatsConnection,
  { cluster, only = names, stopped, log }: {
    readonly cluster: string;
    /** @default all */
    readonly only?: readonly string[];
    readonly stopped: AbortSignal;
    readonly log: (text: string) => void;
  },
): Promise<void> {
  const link = new ServerLink(connection, log);
  const transports: NatsTransport[] = [];
  try {
    for (const id of only) {
      const transport = new NatsTransport({ link, cluster, id, log });
      transports.push(transport);
      await transport.listen(new ServiceHost(id, transport, log));
    }
    log(`Services ${only.join(", ")} of cluster ${cluster} are ready on ${connection.getServer()}`);
    await firstOf(stopped, link.lost);
    link.lost.throwIfAborted();
  } finally {
    for (const transport of transports) transport.close();
    await link.close();
  }
}

/** A service as what takes messages: one at a time, each answered at once. */
class ServiceHost implements Receiver {
  readonly #name: string;
  readonly #service: Service;
  readonly #output: Output;
  readonly #log: (text: string) => void;
  readonly #random: Random = systemRandom;

  constructor(name: string, output: Output, log: (text: string) => void) {
    const make = makers[name];
    if (make === undefined) throw new UsageError(`Cannot serve ${name}: there is no such service`);
    this.#name = name;
    this.#service = make();
    this.#output = output;
    this.#log = log;
  }

  get busy(): boolean {
    return this.#output.full === true;
  }

  async ready(): Promise<void> {
    await this.#output.drained?.();
  }

  receive(line: string): void {
    const message = parseMessage(line);
    if (message instanceof Received) return this.#answer(message);
    const { problem, request } = message;
    this.#log(`Cannot take a message for ${this.#name}: ${problem}: ${quote(line)}`);
    if (request !== undefined) this.#reply(request, malformed(problem));
  }

  #answer(message: Received<JsonObject>): void {
    const { src, body } = message;
    // Whatever is no request gets no answer, or two services would answer each other for ever.
    if (body.in_reply_to !== undefined || body.type === "error") return;
    try {
      const reply = this.#service.apply(src, body, this.#random);
      this.#reply(message, reply ?? unknownType(body.type));
    } catch (error) {
      this.#reply(message, { type: "error", code: ErrorCode.crash, text: errorText(error) });
    }
  }

  #reply({ src, body }: Received<JsonObject>, reply: JsonObject): void {
    if (body.msg_id === undefined) return;
    const message = { src: this.#name, dest: src, body: { ...reply, in_reply_to: body.msg_id } };
    this.#output.write(JSON.stringify(message), src);
  }
}

function malformed(text: string): JsonObject {
  return { type: "error", code: ErrorCode.malformedRequest, text };
}

/** Maelstrom's services are silent here; an answer says sooner what is wrong. */
function unknownType(type: string): JsonObject {
  const text = `Unknown message type ${quote(type)}`;
  return { type: "error", code: ErrorCode.notSupported, text };
}
