
import { openDisk } from "@eddy/maelstrom/disk";
import { Node, serve } from "@eddy/maelstrom";
const node = new Node({ storage: openDisk("data") });

    node.onInit(() => {
      if (node.storage.get("count") === undefined) node.storage.set("count", [0]);
    });
    node.on("generate", () => {
      const [count] = node.storage.get("count");
      node.storage.set("count", [count + 1]);
      return { id: node.id + " " + count };
    });
await serve(node);