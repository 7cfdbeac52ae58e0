/**
 * Whether a write-ahead log of SQLite is whole. SQLite ends at the first frame that is wrong, as if
 * nothing had followed; what had been durable is then gone without a word.
 *
 * The format: https://sqlite.org/walformat.html
 *
 * @module
 */

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
/** How many bytes of a frame's header its checksum covers: those before the salts. */
const SUMMED_BYTES = 8;
/** The magic number; with its last bit set the words of checksums are big-endian. */
const MAGIC = 0x377f0682;

/**
 * What is wrong with a log, or undefined.
 *
 * A process that is killed, or a machine that loses power, may leave the last transaction torn: it
 * was not durable yet. Each transaction is begun when the one before it is durable, so what is wrong
 * before the last one was damaged later.
 *
 * @param bytes the whole file
 */
export function findDamage(bytes: Uint8Array): string | undefined {
  if (bytes.length < HEADER_BYTES) return "it is cut off";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.getUint32(0);
  const words = new Words(view, magic === MAGIC);
  words.add(0, SUMMED_BYTES * 3);
  if ((magic & ~1) !== MAGIC || !words.match(24)) return "its header is damaged";

  const frameBytes = FRAME_HEADER_BYTES + view.getUint32(8);
  const frames: { readonly at: number; readonly commits: boolean; readonly isCurrent: boolean }[] =
    [];
  for (let at = HEADER_BYTES; at + frameBytes <= bytes.length; at += frameBytes) {
    // Frames of an earlier use of the file have other salts.
    const isCurrent = view.getUint32(at + 8) === view.getUint32(16) &&
      view.getUint32(at + 12) === view.getUint32(20);
    frames.push({ at, commits: view.getUint32(at + 4) !== 0, isCurrent });
  }
  const first = frames.findIndex(({ at, isCurrent }) => {
    words.add(at, SUMMED_BYTES);
    words.add(at + FRAME_HEADER_BYTES, frameBytes - FRAME_HEADER_BYTES);
    return !isCurrent || !words.match(at + 16);
  });
  if (first === -1) return undefined;
  const commit = frames.findIndex(({ commits, isCurrent }, i) =>
    i >= first && commits && isCurrent
  );
  if (commit === -1 || !frames.slice(commit + 1).some(({ isCurrent }) => isCurrent)) {
    return undefined;
  }
  return `its frame ${first + 1} of ${frames.length} is damaged`;
}

/** SQLite's running checksum, over words of four bytes. */
class Words {
  readonly #view: DataView;
  readonly #isLittleEndian: boolean;
  #first = 0;
  #second = 0;

  constructor(view: DataView, isLittleEndian: boolean) {
    this.#view = view;
    this.#isLittleEndian = isLittleEndian;
  }

  add(start: number, bytes: number): void {
    let [first, second] = [this.#first, this.#second];
    for (let at = start; at < start + bytes; at += 8) {
      first = (first + this.#view.getUint32(at, this.#isLittleEndian) + second) >>> 0;
      second = (second + this.#view.getUint32(at + 4, this.#isLittleEndian) + first) >>> 0;
    }
    [this.#first, this.#second] = [first, second];
  }

  /** Whether the checksum stands at a place. */
  match(at: number): boolean {
    return this.#view.getUint32(at) === this.#first &&
      this.#view.getUint32(at + 4) === this.#second;
  }
}
