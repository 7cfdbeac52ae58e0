#!/usr/bin/env python3
"""An echo node. Given the name of a fault, it has that one now and then."""

import json
import sys

fault = sys.argv[1] if len(sys.argv) > 1 else None
me = None
requests = 0


def send(dest, body):
    print(json.dumps({"src": me, "dest": dest, "body": body}), flush=True)


def misbehave(src, body):
    """Does what the fault says; returns whether the request is done with."""
    if fault == "garbage":
        print("Traceback (most recent call last):", flush=True)
    elif fault == "debug":
        print("handling echo", flush=True)
    elif fault == "blank":
        print("", flush=True)
    elif fault == "extra-key":
        print(json.dumps({"src": me, "dest": src, "body": body, "time": 1}), flush=True)
    elif fault == "no-dest":
        print(json.dumps({"src": me, "body": body}), flush=True)
    elif fault == "no-body":
        print(json.dumps({"src": me, "dest": src}), flush=True)
    elif fault == "stranger":
        send("n99", body)
    elif fault == "impostor":
        print(json.dumps({"src": src, "dest": me, "body": body}), flush=True)
    elif fault == "exit":
        sys.exit(0)
    elif fault == "raise":
        raise RuntimeError("Cannot go on")
    elif fault == "wrong":
        send(src, {**body, "echo": "something else"})
        return True
    elif fault == "silent":
        return True
    return False


for line in sys.stdin:
    message = json.loads(line)
    src, body = message["src"], message["body"]
    reply = {"type": body["type"] + "_ok", "in_reply_to": body["msg_id"]}
    if body["type"] == "init":
        me = body["node_id"]
        if fault == "mute":
            continue
    else:
        reply["echo"] = body["echo"]
        requests += 1
        if requests % 5 == 0 and misbehave(src, reply):
            continue
    send(src, reply)
