#!/usr/bin/env -S deno run
import { ErrorCode, type Json, jsonEqual, Node, RpcError, serve } from "@eddy/maelstrom";

type Read = { type: "read"; key: Json };
type Write = { type: "write"; key: Json; value: Json };
type Cas = { type: "cas"; key: Json; from: Json; to: Json };

const node = new Node();
const values = new Map<Json, Json>();

function execute(request: Read | Write | Cas): object {
  const { key } = request;
  if (request.type === "write") {
    values.set(key, request.value);
    return {};
  }
  const value = values.get(key);
  if (value === undefined) throw new RpcError(ErrorCode.keyDoesNotExist, `No key ${key}`);
  if (request.type === "read") return { value };
  if (!jsonEqual(value, request.from)) {
    throw new RpcError(ErrorCode.preconditionFailed, `Expected ${request.from}, found ${value}`);
  }
  values.set(key, request.to);
  return {};
}

for (const type of ["read", "write", "cas"]) {
  node.on(type, ({ body }) => execute(body as Read | Write | Cas));
}

await serve(node);
