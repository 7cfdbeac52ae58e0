/**
 * The services on the network.
 *
 * @module
 */

import type { JsonObject, Random } from "@eddy/maelstrom";
import type { SimulatedNetwork } from "../network/network.ts";
import { type ServiceName, SERVICES } from "../network/services.ts";
import type { Envelope } from "../types.ts";
import { LinKv, LinTso } from "./lin_kv.ts";
import { LwwKv } from "./lww_kv.ts";
import { SeqKv } from "./seq_kv.ts";
import type { Service } from "./service.ts";

/** Settings of {@linkcode openServices}. */
export interface ServicesOptions {
  readonly network: SimulatedNetwork;
  readonly random: (part: string) => Random;
  /**
   * Reproduce the bugs of Maelstrom's services.
   *
   * @default false
   */
  readonly maelstromBugs?: boolean;
}

/** Services that are open. */
export interface OpenServices {
  /** Requests that got no answer, one sentence for each kind. */
  readonly warnings: readonly string[];
  /** Takes the services off the network. */
  close(): void;
}

/** Puts all four services on the network, empty. */
export function openServices(
  { network, random, maelstromBugs = false }: ServicesOptions,
): OpenServices {
  const services: Record<ServiceName, Service> = {
    "lin-kv": new LinKv(),
    "lin-tso": new LinTso(),
    "lww-kv": new LwwKv(),
    "seq-kv": new SeqKv({ maelstromBugs }),
  };
  const warnings = new Warnings();
  for (const name of SERVICES) {
    const service = services[name];
    const draws = random(name);
    network.open(name, ({ src, body }) => {
      const result = service.apply(src, body, draws);
      if (result === undefined) warnings.noteUnanswered(name, { src, body });
      else reply(network, name, { src, body }, result);
    });
  }
  return {
    warnings: warnings.sentences,
    close: () => SERVICES.forEach((name) => network.close(name)),
  };
}

type Asked = Pick<Envelope, "src" | "body">;

function reply(
  network: SimulatedNetwork,
  name: ServiceName,
  { src, body }: Asked,
  result: JsonObject,
): void {
  // Whoever asked may be gone by now, and then nobody misses the answer.
  if (!network.has(src)) return;
  network.send({ src: name, dest: src, body: { ...result, in_reply_to: body.msg_id ?? null } });
}

/** How many kinds of unanswered requests are told apart. */
const MAX_WARNINGS = 20;

class Warnings {
  readonly sentences: string[] = [];
  readonly #noted = new Set<string>();

  noteUnanswered(name: ServiceName, { src, body }: Asked): void {
    const type = JSON.stringify(body.type ?? null).slice(0, 80);
    const sentence =
      `${name} does not know the type ${type} that ${src} sent, and never answers it`;
    if (this.#noted.has(sentence) || this.#noted.size >= MAX_WARNINGS) return;
    this.#noted.add(sentence);
    this.sentences.push(sentence);
  }
}
