/**
 * A run in a worker of the page.
 *
 * @module
 */

import type { RunProgress } from "../../runner.ts";
import { readPart } from "../dom.ts";
import type { SimulatorReply, SimulatorRequest, SimulatorResult } from "./simulator.ts";

/** A run under way. */
export interface Simulation {
  /**
   * What it comes to.
   *
   * @throws {Error} if it cannot be run, or was stopped.
   */
  readonly result: Promise<SimulatorResult>;
  /** Gives it up. */
  readonly stop: () => void;
}

/** What is said of a history's digest, where there is one. */
export function describeDigest(sha256: string | undefined): string {
  return sha256 === undefined ? "" : `The history's SHA-256 is ${sha256}`;
}

/**
 * Starts a run, in a worker of its own.
 *
 * @param part the name of the page's text that is the worker's code
 * @param onProgress called once a second of virtual time
 */
export function startSimulation(
  part: string,
  request: SimulatorRequest,
  onProgress: (progress: RunProgress) => void = () => {},
): Simulation {
  const stopped = new AbortController();
  const { promise, resolve, reject } = Promise.withResolvers<SimulatorResult>();
  const run = async () => {
    const code = await readPart(part);
    if (stopped.signal.aborted) return;
    // No module: browsers start none from a page that was opened from disk.
    const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
    const worker = new Worker(address);
    const end = () => {
      worker.terminate();
      URL.revokeObjectURL(address);
    };
    stopped.signal.addEventListener("abort", end);
    worker.onmessage = ({ data }: MessageEvent<SimulatorReply>) => {
      if ("progress" in data) return onProgress(data.progress);
      end();
      if ("result" in data) resolve(data.result);
      else reject(new Error(data.error));
    };
    worker.onerror = ({ message }) => {
      end();
      reject(new Error(`Cannot run in this browser: ${message ?? "its worker does not start"}`));
    };
    worker.postMessage(request);
  };
  run().catch(reject);
  return {
    result: promise,
    stop: () => {
      stopped.abort();
      reject(new Error("The run was stopped"));
    },
  };
}
