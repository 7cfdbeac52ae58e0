/**
 * Nodes for Python and Node.js, right and wrong in what a process can do wrong, run as processes.
 *
 * @module
 */

import { runProgram, type RunSettings, type Validity, type WorkloadName } from "@eddy/workbench";
import { defaultOptions } from "@eddy/workbench/options.ts";
import { signsOf } from "../reference/trials.ts";

/** A program whose verdict is known. */
export interface ForeignNode {
  /** Its file, beside this one. */
  readonly file: string;
  /** Its arguments: the name of its fault, if it has one. */
  readonly args: readonly string[];
  readonly workload: WorkloadName;
  /** The anomaly to find, as for a mutant; undefined for a right node. */
  readonly anomaly?: string | undefined;
  readonly needs?: RunSettings | undefined;
}

/** The result of one run of a program. */
export interface ForeignTrial {
  readonly valid: Validity;
  readonly signs: readonly string[];
}

const TOTAL = { availability: "total" } as const;
const MALFORMED = "malformed-rpc-response";

/** A program without a fault, and with each of some. */
function variants(
  file: string,
  workload: WorkloadName,
  needs: RunSettings,
  faults: Readonly<Record<string, string>>,
): ForeignNode[] {
  return [
    { file, args: [], workload, needs },
    ...Object.entries(faults).map(([fault, anomaly]) => ({
      file,
      args: [fault],
      workload,
      needs,
      anomaly,
    })),
  ];
}

/** All programs, the slowest first. */
export const foreignNodes: readonly ForeignNode[] = [
  ...variants("broadcast.py", "broadcast", {}, { deaf: "lost", leaky: "lost" }),
  ...variants("echo.py", "echo", TOTAL, {
    mute: "Expected node n0 to respond to an init message",
    garbage: "the line is not JSON",
    debug: "the line is not JSON",
    blank: "the line is blank",
    "extra-key": 'the key "time" does not belong there',
    "no-dest": "dest must be a string",
    "no-body": "body must be an object",
    stranger: "there is no endpoint named",
    impostor: "with another's name as src",
    exit: "the process ended by itself with exit status 0",
    raise: "the process ended by itself with exit status 1",
    wrong: "wrong-echo",
    silent: "unavailable",
  }),
  ...variants("node.mjs", "unique-ids", TOTAL, {
    extra: MALFORMED,
    crash: "the process ended by itself with exit status 1",
  }),
  { file: "node.mjs", args: ["in-pieces"], workload: "unique-ids", needs: TOTAL },
  ...variants("lin_kv.mjs", "lin-kv", { concurrency: "4n", rate: 200 }, {
    cache: "nonlinearizable",
    "seq-kv": "nonlinearizable",
    eager: "nonlinearizable",
  }),
];

/** Runs a program for a second in real time; some workloads take ten more before their final reads. */
export async function runForeign(program: ForeignNode, seed: number): Promise<ForeignTrial> {
  const { file, args, workload, needs } = program;
  const bin = decodeURIComponent(new URL(file, import.meta.url).pathname);
  const settings = { nodeCount: 2, concurrency: "2n", rate: 50, timeLimitSeconds: 1 } as const;
  const options = defaultOptions(workload, { ...settings, ...needs, seed });
  const result = await runProgram({ bin, args }, options);
  return { valid: result.results.valid, signs: signsOf(result) };
}
