/**
 * A NATS server for tests: on a free port of the loopback, with JetStream in a temporary folder.
 *
 * @module
 */

import { join } from "@std/path/join";

/** Whether this machine has a server; tests that need it are skipped where it has none. */
export const hasServer: boolean = await new Deno.Command("nats-server", { args: ["--version"] })
  .output().then(({ success }) => success, () => false);

if (!hasServer) console.error("nats-server is missing: tests that need it are skipped");

/** Settings of {@linkcode NatsServer.start}. */
interface ServerOptions {
  /** @default one that is removed at the end */
  readonly folder?: string;
  /** @default a free one */
  readonly port?: number;
  /** More arguments of `nats-server`. */
  readonly args?: readonly string[];
}

/** A server that is running. */
export class NatsServer implements AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Where JetStream keeps its data. */
  readonly folder: string;
  readonly #process: Deno.ChildProcess;
  readonly #isOwnFolder: boolean;

  private constructor(process: Deno.ChildProcess, port: number, folder: string, isOwn: boolean) {
    this.#process = process;
    this.port = port;
    this.url = `nats://127.0.0.1:${port}`;
    this.folder = folder;
    this.#isOwnFolder = isOwn;
  }

  /** Starts a server, and resolves when it accepts connections. */
  static async start({ folder, port, args = [] }: ServerOptions = {}): Promise<NatsServer> {
    const kept = folder ?? await Deno.makeTempDir({ prefix: "eddy-nats-" });
    const portsFolder = await Deno.makeTempDir({ prefix: "eddy-nats-ports-" });
    const process = new Deno.Command("nats-server", {
      args: [
        ...["--addr", "127.0.0.1", "--port", String(port ?? -1)],
        ...["--jetstream", "--store_dir", kept, "--ports_file_dir", portsFolder],
        ...args,
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    try {
      const bound = await boundPort(join(portsFolder, `nats-server_${process.pid}.ports`), process);
      return new NatsServer(process, bound, kept, folder === undefined);
    } finally {
      await Deno.remove(portsFolder, { recursive: true });
    }
  }

  /** Ends it, as with kill -9 where that is asked for; the folder of an own choice stays. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<void> {
    try {
      this.#process.kill(signal);
    } catch {
      // It has ended.
    }
    await this.#process.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    if (this.#isOwnFolder) await Deno.remove(this.folder, { recursive: true });
  }
}

/** The port that a server has written into its file. */
async function boundPort(file: string, process: Deno.ChildProcess): Promise<number> {
  let ended = false;
  process.status.then(() => ended = true);
  while (!ended) {
    try {
      const { nats: [url] } = JSON.parse(await Deno.readTextFile(file)) as { nats: string[] };
      return Number(new URL(url ?? "").port);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  throw new Error("nats-server ended before it was ready");
}
