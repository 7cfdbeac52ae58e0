/**
 * The `kafka` workload: is every acknowledged message there, once, and read in order?
 *
 * @module
 */

import { checkKafka } from "../checkers/kafka/kafka.ts";
import { KafkaGenerator } from "./kafka_generator.ts";
import { kafkaSession } from "./kafka_session.ts";
import { mappedErrors, type WorkloadSpec } from "./spec.ts";

/** The `kafka` workload. */
export const kafkaSpec: WorkloadSpec = {
  name: "kafka",
  errors: mappedErrors("assign"),
  reusableClients: false,
  session: kafkaSession,
  generator: (options, random) => new KafkaGenerator(options, random),
  check: (history) => checkKafka(history),
};
