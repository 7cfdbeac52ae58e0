/**
 * What a campaign is, and what it leaves behind.
 *
 * @module
 */

/** A long series of runs with one question. */
export interface Campaign {
  readonly name: string;
  /** One sentence: what must hold. */
  readonly description: string;
  /** How many seeds make it full; each row says how many it took. */
  readonly seeds: number;
  /**
   * Runs it.
   *
   * @param seeds at most so many for each thing that is tried
   * @param onProgress told what is done so far
   */
  run(seeds: number, onProgress: (text: string) => void): Promise<CampaignResult>;
}

/** What a campaign came to. */
export interface CampaignResult {
  /** The heads of the columns, then the rows. */
  readonly rows: readonly (readonly string[])[];
  /** What did not hold, each with the line that shows it again. */
  readonly failures: readonly string[];
}

/** Tells how far a series has come, at every tenth of it. */
export function tenths(
  total: number,
  what: string,
  onProgress: (text: string) => void,
): () => void {
  let done = 0;
  return () => {
    done++;
    if (Math.floor(done * 10 / total) > Math.floor((done - 1) * 10 / total)) {
      onProgress(`${what}: ${done} of ${total}`);
    }
  };
}
