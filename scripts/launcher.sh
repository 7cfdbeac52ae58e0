#!/bin/sh
# The command `eddy` of the npm package where there is a shell: becomes the Deno that npm installed
# beside it. The launcher for Node.js does the same, and takes as long as a short run to start.
self=$(readlink -f "$0") || exit 255
folder=${self%/bin/*}
deno=$folder/../deno/deno
if [ ! -x "$deno" ]; then
  exec node "$folder/bin/launcher.cjs" "$@"
fi
export EDDY_BIN="$self"
exec "$deno" run --quiet --allow-all --no-config --no-lock "$folder/main.js" "$@"
