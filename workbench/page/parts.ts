/// <reference lib="dom" />
/**
 * The texts that a page was written with.
 *
 * @module
 */

/**
 * Reads a text that the page has, as `writePage` put it there.
 *
 * @throws {Error} if it has none of the name.
 */
export async function readPart(name: string): Promise<string> {
  const text = document.getElementById(`part-${name}`)?.textContent;
  if (text === undefined || text === null) {
    throw new Error(`Cannot read ${name}: the page has none`);
  }
  const packed = atob(text);
  const bytes = new Uint8Array(packed.length);
  for (let i = 0; i < packed.length; i++) bytes[i] = packed.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return await new Response(stream).text();
}
