/**
 * What faults do to links.
 *
 * @module
 */

/** Links by destination: the sources that each one's messages are meant by. */
export type Links = ReadonlyMap<string, ReadonlySet<string>>;

/** What makes a link slow. */
export interface Slowness {
  /** What a latency is multiplied by. */
  readonly factor: number;
  /** What is added to it then, in milliseconds. */
  readonly extraMs: number;
}

/**
 * What a fault does, for as long as it is on.
 *
 * Clients and services are touched only by `drops` and `holds` that name them.
 */
export interface LinkRule {
  /** The fault's name, under which its losses are counted. */
  readonly fault: string;
  /** Messages that are lost, decided when one comes to the head of its queue. */
  readonly drops?: Links;
  /** Messages that are kept back until the rule ends, decided likewise. */
  readonly holds?: Links;
  /** The probability that a message between nodes is lost, decided when it is sent. */
  readonly loss?: number;
  /** The probability that a message between nodes is delivered twice. */
  readonly duplication?: number;
  /** Slows down messages from and to these nodes. */
  readonly slow?: Slowness & { readonly nodes: ReadonlySet<string> };
}

/** The rules that are on. */
export class LinkRules {
  #all: readonly LinkRule[] = [];
  #dropping: readonly LinkRule[] = [];
  #holding: readonly LinkRule[] = [];
  #losing: readonly LinkRule[] = [];
  #duplicating: readonly LinkRule[] = [];
  #slowing: readonly LinkRule[] = [];

  /** Adds a rule. */
  add(rule: LinkRule): void {
    this.#set([...this.#all, rule]);
  }

  /** Takes a rule away. */
  remove(rule: LinkRule): void {
    this.#set(this.#all.filter((other) => other !== rule));
  }

  /** The rule that drops a message that has come to the head of its queue. */
  dropping(src: string, dest: string): LinkRule | undefined {
    if (this.#dropping.length === 0) return undefined;
    return this.#dropping.find(({ drops }) => drops?.get(dest)?.has(src));
  }

  /** The rule that keeps such a message back. */
  holding(src: string, dest: string): LinkRule | undefined {
    if (this.#holding.length === 0) return undefined;
    return this.#holding.find(({ holds }) => holds?.get(dest)?.has(src));
  }

  /** The rules that may lose a message. */
  get losing(): readonly LinkRule[] {
    return this.#losing;
  }

  /** The rules that may double a message. */
  get duplicating(): readonly LinkRule[] {
    return this.#duplicating;
  }

  /** What the rules add to a latency. */
  extraMs(latencyMs: number, src: string, dest: string): number {
    let result = latencyMs;
    for (const { slow } of this.#slowing) {
      if (slow === undefined || !(slow.nodes.has(src) || slow.nodes.has(dest))) continue;
      result = Math.floor(result * slow.factor + slow.extraMs);
    }
    return result - latencyMs;
  }

  #set(all: readonly LinkRule[]): void {
    this.#all = all;
    this.#dropping = all.filter(({ drops }) => drops !== undefined);
    this.#holding = all.filter(({ holds }) => holds !== undefined);
    this.#losing = all.filter(({ loss }) => loss !== undefined);
    this.#duplicating = all.filter(({ duplication }) => duplication !== undefined);
    this.#slowing = all.filter(({ slow }) => slow !== undefined);
  }
}

/**
 * Links for a lookup, from lists.
 *
 * @param lists destinations with the sources meant
 */
export function toLinks(lists: Readonly<Record<string, readonly string[]>>): Links {
  return new Map(Object.entries(lists).map(([dest, srcs]) => [dest, new Set(srcs)]));
}
