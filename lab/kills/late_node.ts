/**
 * A node that answers before its data is durable, and makes it so twice a second: a control, which
 * checks of real kills must find. Started as `late_node.ts WORKLOAD DIR`.
 *
 * @module
 */

import { findWorkload } from "@eddy/handlers/workloads";
import {
  type Json,
  type JsonInput,
  Node,
  serve,
  type Storage,
  type StoredLog,
} from "@eddy/maelstrom";
import { openDisk } from "@eddy/maelstrom/disk";

/** How long it is until what was written is durable, at most. */
const LATE_MS = 500;

/** Says that everything is durable at once, and syncs later. */
class LateStorage implements Storage {
  readonly isDurable = true;
  readonly isDirty = false;
  readonly #disk: Storage;

  constructor(disk: Storage) {
    this.#disk = disk;
    setInterval(() => disk.sync(), LATE_MS);
  }

  get(key: string): Json | undefined {
    return this.#disk.get(key);
  }

  set(key: string, value: JsonInput | undefined): void {
    this.#disk.set(key, value);
  }

  log(name: string): StoredLog {
    return this.#disk.log(name);
  }

  sync(): void {}

  close(): void {
    this.#disk.close();
  }
}

const [workload = "lin-kv", directory = ""] = Deno.args;
const open = openDisk(directory);
const node = new Node({ storage: async (id) => new LateStorage(await open(id)) });
(await findWorkload(workload)).configure([])(node);
await serve(node);
