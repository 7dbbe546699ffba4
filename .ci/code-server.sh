#!/usr/bin/env bash
# Installs what the end-to-end tests of the VS Code extension need: Chromium,
# and code-server, which is VS Code 1.100.3 for a browser, its native modules
# built here. Prints the path of the code-server program as its last line.
#
# It changes nothing when all is there already. Debian packages are installed
# only when it runs as root. RESTEP_CODE_SERVER names another folder than
# ~/.cache/restep/code-server.
set -euo pipefail

version=4.100.3 # the newest whose native modules build with Node 20
dir=${RESTEP_CODE_SERVER:-${XDG_CACHE_HOME:-$HOME/.cache}/restep/code-server}
done_file=$dir/installed-$version
program=$dir/node_modules/.bin/code-server

say() { printf 'code-server.sh: %s\n' "$*" >&2; }

# packages installs the Debian packages that are missing.
packages() {
  local missing=()
  command -v chromium >/dev/null || missing+=(chromium)
  command -v rg >/dev/null || missing+=(ripgrep)
  command -v g++ >/dev/null || missing+=(g++)
  command -v make >/dev/null || missing+=(make)
  command -v python3 >/dev/null || missing+=(python3)
  [ -e /usr/include/gssapi/gssapi.h ] || missing+=(libkrb5-dev)
  [ ${#missing[@]} -eq 0 ] && return
  if [ "$(id -u)" -ne 0 ]; then
    say "missing: ${missing[*]}; install them, or run this as root"
    exit 1
  fi
  say "installing ${missing[*]}"
  apt-get update -q >&2
  DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}" >&2
}

# headers prints the folder above include/node of the running Node.
headers() {
  local prefix
  prefix=$(node -p 'require("path").dirname(require("path").dirname(require("fs").realpathSync(process.execPath)))')
  if [ ! -e "$prefix/include/node/node.h" ]; then
    say "no headers of Node below $prefix/include; install them (Debian: libnode-dev)"
    exit 1
  fi
  printf '%s\n' "$prefix"
}

# natives builds the modules whose binaries npm would have fetched.
natives() {
  local nodedir gyp module
  nodedir=$(headers)
  gyp=$(npm root -g)/npm/node_modules/node-gyp/bin/node-gyp.js
  if [ ! -e "$gyp" ]; then
    say "no node-gyp at $gyp; npm brings it along: install npm"
    exit 1
  fi
  (cd node_modules/argon2 && ../.bin/node-pre-gyp rebuild --build-from-source --nodedir="$nodedir")
  for module in @vscode/spdlog native-watchdog node-pty kerberos; do
    (cd "node_modules/code-server/lib/vscode/node_modules/$module" && node "$gyp" rebuild --nodedir="$nodedir")
  done
}

# links puts files where the workbench looks for them.
links() {
  local vscode=node_modules/code-server/lib/vscode
  mkdir -p $vscode/node_modules/@vscode/ripgrep/bin
  cp "$(command -v rg)" $vscode/node_modules/@vscode/ripgrep/bin/rg
  ln -sfn node_modules $vscode/node_modules.asar
  ln -sfn code-linux.sh $vscode/bin/remote-cli/code-server
  ln -sfn browser-linux.sh $vscode/bin/helpers/browser.sh
}

packages
if [ ! -e "$done_file" ]; then
  say "installing code-server $version in $dir; this takes a minute or two"
  rm -rf "$dir"
  mkdir -p "$dir"
  cd "$dir"
  printf '{"private": true}\n' >package.json
  {
    npm install --no-audit --no-fund --ignore-scripts "code-server@$version"
    (cd node_modules/code-server/lib/vscode && npm install --no-audit --no-fund --ignore-scripts --omit=dev)
    (cd node_modules/code-server/lib/vscode/extensions && npm install --no-audit --no-fund --ignore-scripts --omit=dev)
    natives
    links
  } >"$dir/install.log" 2>&1 || {
    tail -n 40 "$dir/install.log" >&2
    say "the installation failed; all of it is in $dir/install.log"
    exit 1
  }
  touch "$done_file"
fi
printf '%s\n' "$program"
