/**
 * Draws docs/consensus_run.svg: who led in which term while a partition nemesis was at work.
 *
 * Run with `deno run --allow-write=docs lab/consensus_figure.ts`.
 */

import { serveLinKv } from "@eddy/handlers";
import { Replica } from "@eddy/handlers/raft/replica";
import type { Node } from "@eddy/maelstrom";
import { simulate } from "@eddy/workbench";

const SECONDS = 60;
const SAMPLE_MS = 20;
const WIDTH = 900;
const LEFT = 40;
const ROW = 34;
const COLORS = ["#4c78a8", "#f58518", "#54a24b", "#b279a2", "#e45756", "#72b7b2", "#9d755d"];

/** A stretch of time in which a node was in one role and term. */
interface Stretch {
  readonly fromMs: number;
  toMs: number;
  readonly role: string;
  readonly term: number;
}

const nodes: Node[] = [];
const stretches = new Map<string, Stretch[]>();

/** Looks at every node, again and again. */
function watch(): void {
  const [clock] = nodes.map(({ clock }) => clock);
  if (clock === undefined) return;
  const startMs = clock.now();
  const look = () => {
    const nowMs = clock.now() - startMs;
    for (const node of nodes) note(node, nowMs);
    if (nowMs < SECONDS * 1000) clock.schedule(SAMPLE_MS, look);
  };
  look();
}

function note(node: Node, nowMs: number): void {
  const replica = node.state.parts.get("replica");
  if (!(replica instanceof Replica)) return;
  const { role, term, leader } = replica.raft;
  const state = role === "follower" && leader === undefined ? "lost" : role;
  const own = stretches.get(node.id) ?? [];
  stretches.set(node.id, own);
  const last = own.at(-1);
  if (last?.role === state && last.term === term) last.toMs = nowMs + SAMPLE_MS;
  else own.push({ fromMs: nowMs, toMs: nowMs + SAMPLE_MS, role: state, term });
}

const x = (ms: number) => (LEFT + ms / 1000 / SECONDS * (WIDTH - LEFT - 10)).toFixed(1);
const wide = (ms: number) => (ms / 1000 / SECONDS * (WIDTH - LEFT - 10)).toFixed(1);

function drawStretch({ fromMs, toMs, role, term }: Stretch, y: number): string {
  const color = COLORS[term % COLORS.length];
  const width = wide(toMs - fromMs);
  if (role === "leader") {
    const label = toMs - fromMs > 1500
      ? `<text x="${x(fromMs + 200)}" y="${y + 17}" fill="white">term ${term}</text>`
      : "";
    return `<rect x="${x(fromMs)}" y="${y}" width="${width}" height="24" fill="${color}"/>${label}`;
  }
  const [offset, height] = role === "follower" ? [9, 6] : [11, 2];
  const fill = role === "follower" ? color : "#999";
  return `<rect x="${x(fromMs)}" y="${
    y + offset
  }" width="${width}" height="${height}" fill="${fill}"/>`;
}

const { results } = await simulate({
  workload: "lin-kv",
  nodeCount: 5,
  rate: 50,
  timeLimitSeconds: SECONDS,
  nemesis: ["partition"],
  nemesisIntervalSeconds: 5,
  seed: 3,
  install: (node) => {
    serveLinKv(node);
    nodes.push(node);
  },
  script: () => watch(),
});

const height = 40 + nodes.length * ROW;
const shades = results.faults.map(({ fromNs, toNs }) => {
  const fromMs = fromNs / 1e6;
  const toMs = Math.min((toNs ?? Infinity) / 1e6, SECONDS * 1000);
  return `<rect x="${x(fromMs)}" y="6" width="${wide(toMs - fromMs)}" height="${
    height - 30
  }" fill="#000" opacity="0.08"/>`;
});
const rows = nodes.map((node, i) => {
  const y = 12 + i * ROW;
  const drawn = (stretches.get(node.id) ?? []).map((stretch) => drawStretch(stretch, y));
  return `<text x="8" y="${y + 17}">${node.id}</text>${drawn.join("")}`;
});
const ticks = Array.from(
  { length: SECONDS / 10 + 1 },
  (_, i) => `<text x="${x(i * 10_000)}" y="${height - 8}" text-anchor="middle">${i * 10} s</text>`,
);
await Deno.writeTextFile(
  new URL("../docs/consensus_run.svg", import.meta.url),
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="white"/>
${[...shades, ...rows, ...ticks].join("\n")}
</svg>
`,
);
