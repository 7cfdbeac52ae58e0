/**
 * A run's plan: what was decided before and outside of the nodes, as data.
 *
 * A plan has everything that a run depends on but the nodes themselves: the operations of clients
 * with their times, the faults, what happened to single messages, the seed of all that is drawn. Run
 * again it gives the same history; a change of one entry changes no other.
 *
 * @module
 */

import * as v from "valibot";
import { errorText, type Json } from "@eddy/maelstrom";
import { checkOptions, type RunOptions } from "./options.ts";
import { faultKinds, NEMESES, type PlanFault } from "./nemesis.ts";
import type { PlanLink } from "./links.ts";
import { SKEW } from "./machine_clock.ts";
import { SERVICES } from "./network.ts";
import type { PlanOp } from "./runner.ts";
import { workloads } from "./workloads/mod.ts";

/** The version of the format, which is `version` in the file. */
export const PLAN_VERSION: Plan["version"] = 1;

/** What a run is given, as in `plan.json`; times are milliseconds. */
export interface Plan {
  /** The version of the format. */
  readonly version: 1;
  /** The program that it was recorded with, if it was not Eddy's own node. */
  readonly program?: PlanProgram | undefined;
  /** What every node is started with. */
  readonly args: readonly string[];
  /** All options, the seed among them, which decides what the plan does not. */
  readonly options: RunOptions;
  /** What clients do in the main phase, by time; the last phase follows from what they saw. */
  readonly ops: readonly PlanOp[];
  /** The faults, by the time of their beginning. */
  readonly faults: readonly PlanFault[];
  /** What chance decided of messages, by link; what is absent is drawn. */
  readonly links: readonly PlanLink[];
}

/** A program of a plan. */
export interface PlanProgram {
  /** As on the command line. */
  readonly bin: string;
  /** The SHA-256 of what was run, in hexadecimal; absent for mutants. */
  readonly sha256?: string | undefined;
  /** Whether it ran as processes, although it could have run under virtual time. */
  readonly realTime?: boolean | undefined;
}

/**
 * What runs the nodes of a run, in a line.
 *
 * @param program as in the plan: undefined for Eddy's own node
 * @param isVirtual whether they run in this process, under virtual time
 */
export function describeEngine(program: PlanProgram | undefined, isVirtual: boolean): string {
  if (program === undefined) return "Virtual time, Eddy's own node";
  return isVirtual
    ? `Virtual time, ${program.bin} in this process`
    : `Real time, ${program.bin} as processes`;
}

const time = v.pipe(v.number(), v.finite(), v.minValue(0));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const names = v.array(v.string());

// Not `v.record`, which leaves out keys such as `constructor`, as which a node may be named.
const json = v.custom<Json>(isFinite, "Expected no number beyond all bounds");
const drops = v.custom<Readonly<Record<string, readonly string[]>>>(
  (value) => isObject(value) && Object.values(value).every((srcs) => v.is(names, srcs)),
  "Expected names of nodes, each with a list of names",
);

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether all numbers in what was JSON are; `1e999` is one that is not. */
function isFinite(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  return typeof value !== "object" || value === null || Object.values(value).every(isFinite);
}

const schema = v.strictObject({
  version: v.literal(
    PLAN_VERSION,
    `Expected ${PLAN_VERSION}, the version that this Eddy reads`,
  ),
  program: v.optional(
    v.strictObject({
      bin: v.string(),
      sha256: v.optional(v.string()),
      realTime: v.optional(v.boolean()),
    }),
  ),
  args: names,
  options: v.looseObject({}),
  ops: v.array(v.strictObject({ atMs: time, thread: count, f: v.string(), value: json })),
  faults: v.array(v.strictObject({
    kind: v.picklist(NEMESES),
    fromMs: time,
    toMs: v.optional(time),
    drawn: v.optional(v.string(), "planned"),
    drops: v.optional(drops),
    nodes: v.optional(names),
    probability: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1))),
    slowness: v.optional(v.strictObject({ factor: time, extraMs: time })),
    clock: v.optional(v.strictObject({
      rate: v.pipe(v.number(), v.minValue(SKEW.minRate), v.maxValue(SKEW.maxRate)),
      jumpMs: v.pipe(v.number(), v.minValue(-SKEW.maxJumpMs), v.maxValue(SKEW.maxJumpMs)),
    })),
  })),
  links: v.array(v.strictObject({
    src: v.string(),
    dest: v.string(),
    sent: count,
    latencyMs: v.optional(v.array(v.nullable(time))),
    lost: v.optional(v.array(count)),
    twice: v.optional(v.array(count)),
  })),
});

/**
 * Reads a plan.
 *
 * @param text JSON, as {@linkcode writePlan} writes it
 * @throws {RangeError} naming the entry and its value, if it cannot be run.
 */
export function parsePlan(text: string): Plan {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new RangeError(`it is not JSON: ${errorText(cause)}`, { cause });
  }
  const { success, output, issues } = v.safeParse(schema, parsed);
  if (!success) {
    const [issue] = issues;
    const path = v.getDotPath(issue) ?? "";
    throw new RangeError(path === "" ? issue.message : `${path}: ${issue.message}`);
  }
  const plan = { ...output, options: readOptions(output) };
  checkPlan(plan);
  return plan;
}

/** The options, with the faults that the plan has beside those it was recorded with. */
function readOptions({ options, faults }: v.InferOutput<typeof schema>): RunOptions {
  const { nemesis } = options;
  const kinds = faults.map(({ kind }) => kind);
  const all = Array.isArray(nemesis) ? [...new Set([...nemesis, ...kinds])] : nemesis;
  const read = { ...options, nemesis: all ?? [...new Set(kinds)] } as unknown as RunOptions;
  if (typeof read.latency !== "object" || read.latency === null) {
    throw new RangeError("options.latency: expected meanMs and distribution");
  }
  checkOptions(read);
  return read;
}

function checkPlan({ options, ops, faults, links }: Plan): void {
  const { workload, nodeIds, concurrency } = options;
  const { operations } = workloads[workload];
  for (const [i, { thread, f }] of ops.entries()) {
    if (thread >= concurrency) {
      throw new RangeError(`ops.${i}.thread: there is no thread ${thread}, only ${concurrency}`);
    }
    if (Object.hasOwn(operations, f)) continue;
    const known = Object.keys(operations).join(", ");
    throw new RangeError(`ops.${i}.f: ${workload} has no ${JSON.stringify(f)}, only ${known}`);
  }
  for (const [i, fault] of faults.entries()) {
    for (const field of faultKinds[fault.kind].needs) {
      if (fault[field] === undefined) throw new RangeError(`faults.${i}: ${field} is missing`);
    }
    const { fromMs, toMs = Infinity, nodes = [], drops = {} } = fault;
    if (toMs < fromMs) throw new RangeError(`faults.${i}.toMs: ${toMs} is before ${fromMs}`);
    const named = [...nodes, ...Object.entries(drops).flatMap(([dest, srcs]) => [dest, ...srcs])];
    const unknown = named.find((name) => !nodeIds.includes(name));
    if (unknown === undefined) continue;
    throw new RangeError(`faults.${i}: there is no node ${JSON.stringify(unknown)}`);
  }
  const seen = new Set<string>();
  for (const [i, { src, dest }] of links.entries()) {
    const stranger = [src, dest].find((name) =>
      !nodeIds.includes(name) && !SERVICES.some((service) => service === name)
    );
    if (stranger !== undefined) {
      throw new RangeError(`links.${i}: there is no node or service ${JSON.stringify(stranger)}`);
    }
    const link = JSON.stringify([src, dest]);
    if (seen.has(link)) throw new RangeError(`links.${i}: the link ${link} is there twice`);
    seen.add(link);
  }
}

/** A plan as JSON: one operation, fault or link a line. */
export function writePlan({ version, program, args, options, ops, faults, links }: Plan): string {
  const list = (items: readonly object[]) =>
    items.length === 0 ? "[]" : `[\n${items.map((item) => JSON.stringify(item)).join(",\n")}\n]`;
  const parts = [
    `"version": ${version}`,
    ...(program === undefined ? [] : [`"program": ${JSON.stringify(program)}`]),
    `"args": ${JSON.stringify(args)}`,
    `"options": ${JSON.stringify(options)}`,
    `"ops": ${list(ops)}`,
    `"faults": ${list(faults)}`,
    `"links": ${list(links)}`,
  ];
  return `{\n${parts.join(",\n")}\n}\n`;
}
