/**
 * Distances in a topology.
 *
 * @module
 */

/**
 * How many steps the farthest node is away from `start`, of those that can be reached.
 *
 * @param topology the neighbours of each node
 */
export function eccentricity(
  topology: Readonly<Record<string, readonly string[]>>,
  start: string,
): number {
  const seen = new Set([start]);
  let frontier = [start];
  let steps = 0;
  while (true) {
    const next: string[] = [];
    for (const node of frontier) {
      for (const neighbour of topology[node] ?? []) {
        if (seen.has(neighbour)) continue;
        seen.add(neighbour);
        next.push(neighbour);
      }
    }
    if (next.length === 0) return steps;
    frontier = next;
    steps++;
  }
}
