#!/usr/bin/env python3
import json
import sys

for line in sys.stdin:
    request = json.loads(line)
    body = request["body"]
    print("received", body["type"], "from", request["src"])
    reply = {"type": body["type"] + "_ok", "in_reply_to": body["msg_id"]}
    if body["type"] == "echo":
        reply["echo"] = body["echo"]
    message = {"src": request["dest"], "dest": request["src"], "body": reply}
    print(json.dumps(message), flush=True)
