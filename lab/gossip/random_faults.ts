/**
 * Faults drawn at random, for tests: cuts both ways and one way, losses, duplicates, slow nodes,
 * pauses.
 *
 * @module
 */

import type { SimulatedCluster } from "./cluster.ts";
import type { GossipStore } from "@eddy/handlers/gossip/event_log.ts";

/** Draws faults about every `intervalMs` until `endMs`, when all are healed. */
export function breakAtRandom<S extends GossipStore>(
  cluster: SimulatedCluster<S>,
  endMs: number,
  intervalMs: number,
): void {
  const { random } = cluster;
  const step = () => {
    if (cluster.nowMs >= endMs) return;
    changeFault(cluster, endMs);
    cluster.at(Math.min(endMs, cluster.nowMs + 2 * intervalMs * random.next()), step);
  };
  cluster.at(0, step);
  cluster.at(endMs, () => heal(cluster));
}

/** Ends all faults. */
export function heal<S extends GossipStore>(cluster: SimulatedCluster<S>): void {
  cluster.cuts.clear();
  cluster.slowness.clear();
  cluster.lossRate = 0;
  cluster.duplicateRate = 0;
}

function changeFault<S extends GossipStore>(cluster: SimulatedCluster<S>, endMs: number): void {
  const { random, names } = cluster;
  const some = names.filter(() => random.next() < 0.4);
  const rest = names.filter((name) => !some.includes(name));
  switch (Math.floor(random.next() * 7)) {
    case 0: // Two parts.
      for (const a of some) for (const b of rest) cluster.cuts.add(`${a}>${b}`).add(`${b}>${a}`);
      break;
    case 1: // One way.
      for (const a of some) for (const b of rest) cluster.cuts.add(`${a}>${b}`);
      break;
    case 2: // Single links.
      for (const a of names) {
        for (const b of names) if (random.next() < 0.2) cluster.cuts.add(`${a}>${b}`);
      }
      break;
    case 3:
      cluster.lossRate = 0.1;
      cluster.duplicateRate = 0.1;
      break;
    case 4:
      for (const name of some) cluster.slowness.set(name, 500 * random.next());
      break;
    case 5:
      for (const name of some) {
        const untilMs = cluster.nowMs + 4000 * random.next();
        cluster.pausedUntilMs.set(name, Math.min(endMs, untilMs));
      }
      break;
    default:
      heal(cluster);
  }
}
