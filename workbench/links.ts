/**
 * Links between endpoints: what faults do to them, and what chance decides of each message.
 *
 * @module
 */

import type { Random } from "@eddy/maelstrom";

/** How long messages take between nodes. */
export interface Latency {
  /** The mean, in milliseconds. */
  readonly meanMs: number;
  /**
   * How single draws spread around it. Maelstrom has the first three; with `uneven` each link is
   * fast or slow for several messages, by a factor of up to a hundred.
   */
  readonly distribution: "constant" | "uniform" | "exponential" | "uneven";
}

/** Links by destination: the sources that each one's messages are meant by. */
type Links = ReadonlyMap<string, ReadonlySet<string>>;

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
  #slowing: readonly LinkRule[] = [];
  /** The probability that a message between nodes is lost. */
  loss = 0;
  /** The probability that it is delivered twice. */
  duplication = 0;

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
    this.#slowing = all.filter(({ slow }) => slow !== undefined);
    this.loss = any(all.map(({ loss = 0 }) => loss));
    this.duplication = any(all.map(({ duplication = 0 }) => duplication));
  }
}

/** The probability that any of independent events happens. */
function any(probabilities: readonly number[]): number {
  return 1 - probabilities.reduce((none, each) => none * (1 - each), 1);
}

/** What chance decides of the messages of one link, which are numbered from 0 up. */
export interface PlanLink {
  /** Whose messages. */
  readonly src: string;
  /** Whom they are for. */
  readonly dest: string;
  /** How many messages there were; for so many `lost` and `twice` decide. */
  readonly sent: number;
  /** The latency of each, in ms; null, and what lies behind the end, is drawn. */
  readonly latencyMs?: readonly (number | null)[] | undefined;
  /** The messages that are lost; if absent, that is drawn while a fault loses messages. */
  readonly lost?: readonly number[] | undefined;
  /** The messages that are delivered twice; if absent, that is drawn likewise. */
  readonly twice?: readonly number[] | undefined;
}

/** For how many messages in a row a link of uneven latencies is as fast. */
const STRETCH = 16;

/** How long messages of a link take, and which are lost or doubled: from a plan, or drawn. */
interface LinkSettings {
  readonly src: string;
  readonly dest: string;
  readonly latency: Latency;
  readonly random: (part: string) => Random;
  /** What is not drawn. */
  readonly plan?: PlanLink | undefined;
}

/**
 * What chance does to the messages of one link.
 *
 * Each draw belongs to a link and to the number of a message on it, so that one message more or less
 * changes nothing for those of other links, and a fault that begins later nothing for those after it.
 */
export class LinkChance {
  readonly #settings: LinkSettings;
  readonly #latencies: Draws;
  readonly #copies: Draws;
  readonly #losses: Draws;
  readonly #doublings: Draws;
  readonly #plannedLost: ReadonlySet<number> | undefined;
  readonly #plannedTwice: ReadonlySet<number> | undefined;
  readonly #lost: number[] = [];
  readonly #twice: number[] = [];
  #sent = 0;

  constructor(settings: LinkSettings) {
    const { src, dest, random, plan } = settings;
    this.#settings = settings;
    const draws = (part: string) => new Draws(() => random(`${part} ${src} ${dest}`));
    this.#latencies = draws("latency");
    this.#copies = draws("copy");
    this.#losses = draws("loss");
    this.#doublings = draws("duplication");
    this.#plannedLost = plan?.lost && new Set(plan.lost);
    this.#plannedTwice = plan?.twice && new Set(plan.twice);
  }

  /** Counts one more message, and returns its number. */
  send(): number {
    return this.#sent++;
  }

  /** How long a message takes, in whole milliseconds. */
  latencyMs(number: number): number {
    const { latency, plan } = this.#settings;
    const place = latency.distribution === "uneven" ? Math.floor(number / STRETCH) : number;
    return plan?.latencyMs?.[number] ?? toLatencyMs(latency, () => this.#latencies.at(place));
  }

  /** How long its copy takes. */
  copyLatencyMs(number: number): number {
    return toLatencyMs(this.#settings.latency, () => this.#copies.at(number));
  }

  /** Whether a message is lost, if that has a probability of `loss`. */
  isLost(number: number, loss: number): boolean {
    const planned = this.#planned(this.#plannedLost, number);
    const lost = planned ?? (loss > 0 && this.#losses.at(number) < loss);
    if (lost) this.#lost.push(number);
    return lost;
  }

  /** Whether a message is delivered twice, if that has a probability of `duplication`. */
  isTwice(number: number, duplication: number): boolean {
    const planned = this.#planned(this.#plannedTwice, number);
    const twice = planned ?? (duplication > 0 && this.#doublings.at(number) < duplication);
    if (twice) this.#twice.push(number);
    return twice;
  }

  /**
   * What was decided, for a plan.
   *
   * @param count for how many messages latencies are listed, at most
   * @param withLosses whether anything was lost or doubled in the run
   */
  plan(count: number, withLosses: boolean): PlanLink {
    const { src, dest, latency, random, plan } = this.#settings;
    const isDrawn = latency.meanMs > 0 && latency.distribution !== "constant";
    const again = new LinkChance({ src, dest, latency, random, plan });
    const listed = Math.min(this.#sent, count);
    return {
      src,
      dest,
      sent: this.#sent,
      latencyMs: isDrawn || plan?.latencyMs !== undefined
        ? Array.from({ length: listed }, (_, number) => again.latencyMs(number))
        : undefined,
      lost: withLosses ? this.#lost : undefined,
      twice: withLosses ? this.#twice : undefined,
    };
  }

  #planned(numbers: ReadonlySet<number> | undefined, number: number): boolean | undefined {
    if (numbers === undefined || number >= (this.#settings.plan?.sent ?? 0)) return undefined;
    return numbers.has(number);
  }
}

/** The draws of one kind of a link, one for each message, made when they are asked for. */
class Draws {
  readonly #open: () => Random;
  #random: Random | undefined;
  #count = 0;
  #last = 0;

  constructor(open: () => Random) {
    this.#open = open;
  }

  /** The draw of a message; of the last one, or of one after it. */
  at(number: number): number {
    const random = this.#random ??= this.#open();
    for (; this.#count <= number; this.#count++) this.#last = random.next();
    return this.#last;
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

/** The least uneven latency, as a share of the mean of them all. */
const UNEVEN_SHARE = Math.log(100) / 99;

/**
 * A latency in whole milliseconds, cut off and not rounded, as Maelstrom's.
 *
 * A mean of 0 is 0 under any distribution, where Maelstrom would refuse to start.
 *
 * @param draw a draw from [0, 1), which is called where there is a choice
 */
export function toLatencyMs({ meanMs, distribution }: Latency, draw: () => number): number {
  if (meanMs === 0) return 0;
  if (distribution === "constant") return Math.floor(meanMs);
  if (distribution === "uniform") return Math.floor(draw() * 2 * meanMs);
  if (distribution === "exponential") return Math.floor(-Math.log(1 - draw()) * meanMs);
  return Math.floor(UNEVEN_SHARE * 100 ** draw() * meanMs);
}

/**
 * Makes sure that latencies can be drawn.
 *
 * @throws {RangeError} if the mean is no number of 0 or more.
 */
export function checkLatency({ meanMs }: Latency): void {
  if (meanMs >= 0 && Number.isFinite(meanMs)) return;
  throw new RangeError(`Cannot use a mean latency of ${meanMs} ms: not a number of 0 or more`);
}
