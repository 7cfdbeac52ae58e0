/**
 * What a line of a node's standard output must be.
 *
 * @module
 */

import { isJsonObject, type Json, type JsonObject, parseJson } from "@eddy/maelstrom";
import { isMsgId } from "@eddy/maelstrom/message";

/** What is expected of each line, for people. */
export const EXPECTED_LINE =
  'one JSON object per line with the keys "src", "dest" and "body", and nothing else on standard output';

/** A message as a node wrote it. */
export interface OutputMessage {
  readonly src: string;
  readonly dest: string;
  readonly body: JsonObject;
}

const KEYS: readonly string[] = ["src", "dest", "body", "id"];

/**
 * Reads a line of a node's standard output, as strictly as Maelstrom.
 *
 * @returns the message, or what is wrong with the line.
 */
export function readOutputLine(line: string): OutputMessage | string {
  if (line.trim() === "") return "the line is blank";
  let value: Json;
  try {
    value = parseJson(line);
  } catch (error) {
    return `the line is not JSON (${error instanceof Error ? error.message : error})`;
  }
  if (!isJsonObject(value)) return "the line is JSON, but no object";
  const { src, dest, body, id } = value;
  if (typeof src !== "string") return "src must be a string";
  if (typeof dest !== "string") return "dest must be a string";
  if (body === undefined || !isJsonObject(body)) return "body must be an object";
  if (id !== undefined && !isMsgId(id)) return "id must be an integer, if there is one";
  const extra = Object.keys(value).find((key) => !KEYS.includes(key));
  if (extra !== undefined) return `the key ${JSON.stringify(extra)} does not belong there`;
  return { src, dest, body };
}
