/**
 * The names of the services.
 *
 * @module
 */

/** The services, by the names of their endpoints. */
export const SERVICES = ["lin-kv", "lin-tso", "lww-kv", "seq-kv"] as const;

/** One of the services. */
export type ServiceName = typeof SERVICES[number];
