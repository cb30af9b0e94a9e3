#!/usr/bin/env bash
# Installs the editors, the browser and the compilers that `make e2e` needs, on Debian or Ubuntu.
# usage: tests/e2e/install.sh
set -euo pipefail

packages=(
    neovim emacs-nox elpa-eglot tmux                # editors, and a terminal to run them in
    chromium fonts-dejavu-core                      # shows VS Code
    build-essential pkg-config libkrb5-dev          # code-server's native modules
)

missing=()
for package in "${packages[@]}"; do
    state=$(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

command -v apt-get >/dev/null || {
    echo "this is not Debian or Ubuntu: install what corresponds to ${missing[*]}" >&2
    exit 1
}
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "as root, run: apt-get install ${missing[*]}" >&2
        exit 1
    }
    as_root=(sudo)
fi
"${as_root[@]}" apt-get update --quiet
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends "${missing[@]}"
