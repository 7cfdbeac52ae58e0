/**
 * How findings name messages and sends.
 *
 * @module
 */

import { show, whoAndWhen } from "../wording.ts";
import type { Act, Message, Placed } from "./acts.ts";

/** `Message 5 of key "1"`. */
export function nameOf({ key, value }: Message): string {
  return `Message ${show(value)} of key ${show(key)}`;
}

/** `Message 5 of key "1" at offset 4`. */
export function at({ message, offset }: Placed): string {
  return offset === undefined ? nameOf(message) : `${nameOf(message)} at offset ${offset}`;
}

/** `message 5 at offset 4`, where the key is known. */
export function briefly({ message, offset }: Placed): string {
  const name = `message ${show(message.value)}`;
  return offset === undefined ? name : `${name} at offset ${offset}`;
}

/** `its send by process 3 on n1 at 1.234 s`. */
export function sentBy(act: Act): string {
  return `its send by ${whoAndWhen(act.op)}`;
}
