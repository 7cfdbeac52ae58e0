/**
 * A library for Maelstrom nodes.
 *
 * @example A node in ten lines
 * ```ts
 * import { Node } from "@eddy/maelstrom";
 *
 * const node = new Node();
 * node.on("echo", ({ body }) => ({ echo: body.echo }));
 * ```
 *
 * @module
 */

export * from "./clock.ts";
export * from "./errors.ts";
export * from "./handler.ts";
export * from "./json.ts";
export * from "./mailbox.ts";
export * from "./message.ts";
export * from "./node.ts";
export * from "./options.ts";
export * from "./retry.ts";
export * from "./schema.ts";
export * from "./state.ts";
export * from "./stdio.ts";
export * from "./kv.ts";
export * from "./serve.ts";
