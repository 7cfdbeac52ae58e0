#!/usr/bin/env python3
"""A broadcast node that passes values on until they are confirmed.

Given a fault: "deaf" ignores what other nodes say, "leaky" loses every tenth value.
"""

import json
import sys
import threading
import time

fault = sys.argv[1] if len(sys.argv) > 1 else None
lock = threading.RLock()
me = None
peers = []
values = []
unconfirmed = {}
broadcasts = 0


def send(dest, body):
    with lock:
        sys.stdout.write(json.dumps({"src": me, "dest": dest, "body": body}) + "\n")
        sys.stdout.flush()


def resend():
    """Sends every peer what it has not confirmed, again and again."""
    while True:
        time.sleep(0.1)
        with lock:
            batches = [(peer, list(rest)) for peer, rest in unconfirmed.items() if rest]
        for peer, rest in batches:
            send(peer, {"type": "values", "values": rest})


def handle(src, body):
    global me, broadcasts
    kind = body["type"]
    if kind == "init":
        me = body["node_id"]
        peers.extend(peer for peer in body["node_ids"] if peer != me)
        unconfirmed.update((peer, []) for peer in peers)
        threading.Thread(target=resend, daemon=True).start()
    elif kind == "broadcast":
        broadcasts += 1
        if fault != "leaky" or broadcasts % 10 != 0:
            values.append(body["message"])
            for rest in unconfirmed.values():
                rest.append(body["message"])
    elif kind == "values":
        if fault != "deaf":
            values.extend(value for value in body["values"] if value not in values)
        send(src, {"type": "confirmed", "values": body["values"]})
        return
    elif kind == "confirmed":
        unconfirmed[src] = [value for value in unconfirmed[src] if value not in body["values"]]
        return
    reply = {"type": kind + "_ok", "in_reply_to": body["msg_id"]}
    if kind == "read":
        reply["messages"] = values
    send(src, reply)


for line in sys.stdin:
    message = json.loads(line)
    with lock:
        handle(message["src"], message["body"])
