/**
 * Strongly connected components, and short cycles within them.
 *
 * @module
 */

/** Each vertex's successors, both as numbers from 0. */
export type Graph = readonly (readonly number[])[];

/**
 * The components of more than one vertex, by Tarjan's algorithm (1972) without recursion.
 *
 * @returns each component's vertices
 */
export function components(graph: Graph): number[][] {
  const found: number[][] = [];
  const order = new Int32Array(graph.length).fill(-1);
  const low = new Int32Array(graph.length);
  const next = new Int32Array(graph.length);
  const isOpen = new Uint8Array(graph.length);
  const open: number[] = [];
  const path: number[] = [];
  let visited = 0;
  const enter = (vertex: number) => {
    order[vertex] = low[vertex] = visited++;
    isOpen[vertex] = 1;
    open.push(vertex);
    path.push(vertex);
  };
  const lower = (vertex: number, to: number | undefined) => {
    low[vertex] = Math.min(low[vertex] ?? 0, to ?? 0);
  };
  for (let root = 0; root < graph.length; root++) {
    if (order[root] !== -1) continue;
    enter(root);
    for (let vertex = root;; vertex = path.at(-1) ?? root) {
      const tried = next[vertex] ?? 0;
      const successor = graph[vertex]?.[tried];
      if (successor !== undefined) {
        next[vertex] = tried + 1;
        if (order[successor] === -1) enter(successor);
        else if (isOpen[successor] === 1) lower(vertex, order[successor]);
        continue;
      }
      path.pop();
      if (low[vertex] === order[vertex]) {
        const component = open.splice(open.lastIndexOf(vertex));
        for (const member of component) isOpen[member] = 0;
        if (component.length > 1) found.push(component);
      }
      const parent = path.at(-1);
      if (parent === undefined) break;
      lower(parent, low[vertex]);
    }
  }
  return found;
}

/**
 * A shortest cycle from a vertex back to itself.
 *
 * @param isInside which vertices it may pass through
 * @returns its vertices from `start` on, or undefined if there is none
 */
export function shortestCycle(
  graph: Graph,
  start: number,
  isInside: (vertex: number) => boolean,
): number[] | undefined {
  const from = new Map<number, number>();
  const queue = [start];
  for (const vertex of queue) {
    for (const successor of graph[vertex] ?? []) {
      if (successor === start) return pathTo(vertex, from);
      if (from.has(successor) || !isInside(successor)) continue;
      from.set(successor, vertex);
      queue.push(successor);
    }
  }
  return undefined;
}

function pathTo(end: number, from: ReadonlyMap<number, number>): number[] {
  const path: number[] = [];
  for (let vertex: number | undefined = end; vertex !== undefined; vertex = from.get(vertex)) {
    path.push(vertex);
  }
  return path.reverse();
}
