/**
 * All campaigns.
 *
 * @module
 */

import { calibration } from "./calibration.ts";
import type { Campaign } from "./campaign.ts";
import { consensusFaults, failingDisks, gossipFaults, storageFaults } from "./faults.ts";
import { raftMutations } from "./mutations.ts";
import { mutantsCampaign, raftMutantsCampaign, rightNodesCampaign } from "./nodes.ts";
import { searchCampaign, swarmControl } from "./search.ts";

/** All campaigns, the short ones first. */
export const campaigns: readonly Campaign[] = [
  mutantsCampaign,
  calibration,
  rightNodesCampaign,
  raftMutantsCampaign,
  gossipFaults,
  raftMutations,
  failingDisks,
  consensusFaults,
  storageFaults,
  swarmControl,
  searchCampaign,
];
