/**
 * Round trips at a steady rate.
 *
 * @module
 */

import { monotonicMs } from "./clock.ts";
import { type Chunk, echo } from "./load.ts";
import type { PingDone, PingJob } from "./ping_worker.ts";
import { checkReplies } from "./replies.ts";
import { blaming, type RunningTarget } from "./target.ts";

/** How long the nodes have to come to rest. */
const LEAD_MS = 300;

/** A node with the threads that ping it. */
class PingedNode {
  readonly #node: RunningTarget;
  readonly #threads: readonly Worker[];

  constructor(node: RunningTarget) {
    this.#node = node;
    const url = new URL("./ping_worker.ts", import.meta.url);
    this.#threads = [1, 2].map(() => new Worker(url, { type: "module" }));
  }

  /** Waits until both threads have sent a message. */
  async heard(): Promise<PingDone[]> {
    return await Promise.all(
      this.#threads.map((thread) =>
        new Promise<PingDone>((resolve, reject) => {
          thread.onmessage = ({ data }: MessageEvent<PingDone>) => resolve(data);
          thread.onerror = (event) => {
            event.preventDefault(); // It is thrown here.
            reject(new Error(event.message));
          };
        })
      ),
    );
  }

  /** Sends requests and returns the sorted round trips. */
  async run(job: Omit<PingJob, "end" | "pid">): Promise<Float64Array> {
    const heard = this.heard();
    for (const [index, end] of (["write", "read"] as const).entries()) {
      this.#threads[index]?.postMessage({ ...job, end, pid: this.#node.pid } satisfies PingJob);
    }
    const [sentMs, chunks] = await heard;
    if (!sentMs || !chunks) throw await this.#node.ended();
    const { target } = this.#node;
    const expected = { load: echo, from: 0, to: job.count, mirror: target.mirror === true };
    const repliedMs = await blaming(target, () => checkReplies(chunks as Chunk[], expected));
    return repliedMs.map((atMs, index) => (atMs - Number(sentMs[index])) * 1000).sort();
  }

  end(): void {
    for (const thread of this.#threads) thread.terminate();
  }
}

/**
 * Sends requests to running nodes at a rate, to each in its own share of the time between two.
 *
 * @param rate requests a second and node
 * @returns the sorted round trips of each node, in microseconds.
 * @throws {TargetError} if one fails.
 */
export async function ping(
  nodes: readonly RunningTarget[],
  rate: number,
  seconds: number,
): Promise<Float64Array[]> {
  const pinged = nodes.map((node) => new PingedNode(node));
  try {
    await Promise.all(pinged.map((one) => one.heard())); // They have started.
    const firstMs = monotonicMs() + LEAD_MS;
    return await Promise.all(pinged.map((one, index) => {
      const beginMs = firstMs + index / nodes.length * 1000 / rate;
      return one.run({ count: rate * seconds, rate, beginMs });
    }));
  } finally {
    for (const one of pinged) one.end();
  }
}
