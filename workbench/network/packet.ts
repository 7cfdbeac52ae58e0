/**
 * A message while it is on the network: text, so that endpoints share nothing.
 *
 * @module
 */

import { type JsonObject, parseJson } from "@eddy/maelstrom";
import type { Envelope } from "../types.ts";

/** A message whose body is parsed when somebody looks. */
export class Packet implements Envelope {
  readonly id: number;
  /** Who sent it. */
  readonly src: string;
  /** Whom it is for. */
  readonly dest: string;
  /** The body as JSON. */
  readonly text: string;
  #body: JsonObject | undefined;

  /** Makes a message out of its body's JSON. */
  constructor(id: number, src: string, dest: string, text: string) {
    this.id = id;
    this.src = src;
    this.dest = dest;
    this.text = text;
  }

  /** The body, the same object every time. */
  get body(): JsonObject {
    return this.#body ??= parseJson(this.text) as JsonObject;
  }

  /** The body's `type`; empty where it has none. */
  get type(): string {
    const { type } = this.body;
    return typeof type === "string" ? type : "";
  }

  /** The line that a node is given. Names of endpoints need no escapes. */
  toLine(): string {
    return `{"id":${this.id},"src":"${this.src}","dest":"${this.dest}","body":${this.text}}`;
  }
}
