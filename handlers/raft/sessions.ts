/**
 * Which requests have been executed: what makes a request that is sent again happen once
 * (paper 8, dissertation 6.3).
 *
 * @module
 */

import type { Json } from "@eddy/maelstrom";

/**
 * A request as it stands in the log: who made it, its number there, the lowest number that its
 * maker still waits for, and what to do.
 */
export type Request = [session: string, number: number, lowest: number, operation: Json];

/** One maker's requests. */
interface Session {
  /** What is below is over: executed, or given up and never to be executed. */
  lowest: number;
  /** Those executed from there on; as few as its maker waits for at a time. */
  readonly executed: Set<number>;
  /** When it was last used, counted in requests. */
  usedAt: number;
}

/** How many sessions are kept: one for each life of each node, and lives are short only in tests. */
const MAX_SESSIONS = 128;

/** The requests that the state machine has executed; part of its state. */
export class Sessions {
  readonly #sessions = new Map<string, Session>();
  #count = 0;

  /** How many executed requests are remembered one by one. */
  get size(): number {
    let size = 0;
    for (const { executed } of this.#sessions.values()) size += executed.size;
    return size;
  }

  /** Whether a request is to be executed; it is noted as executed then. */
  admit([name, number, lowest]: Request): boolean {
    const session = this.#session(name);
    session.usedAt = ++this.#count;
    const isNew = number >= session.lowest && !session.executed.has(number);
    if (isNew) session.executed.add(number);
    while (session.lowest < lowest) session.executed.delete(session.lowest++);
    return isNew;
  }

  /** A copy of all this, as one value. */
  snapshot(): Json {
    const sessions = [...this.#sessions].map(([name, { lowest, executed, usedAt }]): Json => [
      name,
      lowest,
      [...executed],
      usedAt,
    ]);
    return [this.#count, sessions];
  }

  /** Takes over what {@linkcode Sessions.snapshot} gave. */
  restore(item: Json): void {
    const [count, sessions] = item as [number, [string, number, number[], number][]];
    this.#count = count;
    this.#sessions.clear();
    for (const [name, lowest, executed, usedAt] of sessions) {
      this.#sessions.set(name, { lowest, executed: new Set(executed), usedAt });
    }
  }

  #session(name: string): Session {
    const known = this.#sessions.get(name);
    if (known !== undefined) return known;
    const session: Session = { lowest: 0, executed: new Set(), usedAt: 0 };
    this.#sessions.set(name, session);
    if (this.#sessions.size > MAX_SESSIONS) this.#forgetOldest(name);
    return session;
  }

  #forgetOldest(newest: string): void {
    let oldest: string | undefined;
    let usedAt = Infinity;
    for (const [name, session] of this.#sessions) {
      if (name === newest || session.usedAt >= usedAt) continue;
      oldest = name;
      usedAt = session.usedAt;
    }
    if (oldest !== undefined) this.#sessions.delete(oldest);
  }
}
