package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

type Message struct {
	Src  string         `json:"src"`
	Dest string         `json:"dest"`
	Body map[string]any `json:"body"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	output := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var request Message
		if json.Unmarshal(lines.Bytes(), &request) != nil {
			continue
		}
		body := request.Body
		fmt.Fprintln(os.Stderr, "received", body["type"], "from", request.Src)
		reply := map[string]any{"type": body["type"].(string) + "_ok", "in_reply_to": body["msg_id"]}
		if body["type"] == "echo" {
			reply["echo"] = body["echo"]
		}
		output.Encode(Message{request.Dest, request.Src, reply})
	}
}
