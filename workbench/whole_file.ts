/**
 * Files that are written whole or not at all.
 *
 * @module
 */

import { errorText } from "@eddy/maelstrom";

/**
 * Writes a file so that nobody reads half of it, and so that a failure leaves what was there: beside
 * it, and then in its place. What is no file, as `/dev/stdout` or a link, is written as it is.
 *
 * @throws {Error} if it cannot be written, with the reason alone.
 */
export function writeWhole(path: string, text: string): void {
  try {
    if (kindOf(path) === "other") Deno.writeTextFileSync(path, text);
    else replace(path, text);
  } catch (cause) {
    throw new Error(whyUnwritten(cause), { cause });
  }
}

function replace(path: string, text: string): void {
  const temporary = temporaryName(path);
  try {
    Deno.writeTextFileSync(temporary, text);
    Deno.renameSync(temporary, path);
  } catch (error) {
    removeIfThere(temporary);
    throw error;
  }
}

/** Why a file cannot be written, without the names of files that the system says it with. */
export function whyUnwritten(error: unknown): string {
  return errorText(error).replace(/ \(os error \d+\).*$/, "");
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // What keeps it from being written may keep it from being removed.
  }
}

/** What a path names: a link may lead to a device, which a file must not replace. */
export function kindOf(path: string): "file" | "folder" | "other" {
  try {
    const { isFile, isDirectory } = Deno.lstatSync(path);
    return isFile ? "file" : isDirectory ? "folder" : "other";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "file";
    throw error;
  }
}

/** A name beside a file that no other has. */
export function temporaryName(path: string): string {
  return `${path}.${crypto.randomUUID()}.tmp`;
}
