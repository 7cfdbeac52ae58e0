/**
 * What can be set on a node and on a call.
 *
 * @module
 */

import type { Clock, Random } from "./clock.ts";
import type { Output } from "./stdio.ts";

/** Settings of a {@linkcode Node}. */
export interface NodeOptions {
  /**
   * Where lines go.
   *
   * @default standard output
   */
  output?: Output;
  /**
   * Time and timers.
   *
   * @default the system's
   */
  clock?: Clock;
  /**
   * Chance.
   *
   * @default the system's
   */
  random?: Random;
  /**
   * Where words for people go.
   *
   * @default standard error
   */
  log?: (text: string) => void;
  /**
   * How many handlers may be in flight. Further requests wait their turn while replies still
   * pass. When 4096 wait, input pauses; or, if a call waits for a reply, which input must bring,
   * further requests get error 11.
   *
   * @default no bound
   */
  maxInFlight?: number;
  /**
   * How long clients wait for a reply, in milliseconds. Under Maelstrom a reply to a client that
   * has gone away silences the node for good, so later ones are dropped.
   *
   * @default 5000
   */
  clientDeadlineMs?: number;
  /**
   * How long {@linkcode Node.drain} waits for handlers that do not end, in milliseconds.
   *
   * @default 10000
   */
  drainTimeoutMs?: number;
}

/** Settings of a call to another node. */
export interface RpcOptions {
  /**
   * How long to wait for the reply, in milliseconds.
   *
   * @default 1000
   */
  timeoutMs?: number;
  /** Gives the call up. */
  signal?: AbortSignal;
}
