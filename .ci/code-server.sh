#!/usr/bin/env bash
# Installs what the end-to-end tests of the VS Code extension need: Chromium,
# and code-server, which is VS Code 1.100.3 for a browser, its native modules
# built here. Prints the path of the code-server program as its last line.
#
#   .ci/code-server.sh            installs what is missing or broken
#   .ci/code-server.sh --check    installs nothing; exit code 1 when something is missing
#
# code-server is installed beside its place and moved there when it has proved
# to work, so that an interrupted installation leaves nothing behind that a
# later one would take for good. Debian packages are installed only when it runs
# as root. RESTEP_CODE_SERVER names another folder than
# ~/.cache/restep/code-server.
set -euo pipefail

version=4.100.3 # the newest whose native modules build with Node 20
natives=(@vscode/spdlog native-watchdog node-pty kerberos)
dir=${RESTEP_CODE_SERVER:-${XDG_CACHE_HOME:-$HOME/.cache}/restep/code-server}
chromium=${RESTEP_CHROMIUM:-/usr/bin/chromium}

say() { printf 'code-server.sh: %s\n' "$*" >&2; }

# missing prints the Debian packages that are not there.
missing() {
  [ -x "$chromium" ] || echo chromium
  command -v rg >/dev/null || echo ripgrep
  command -v g++ >/dev/null || echo g++
  command -v make >/dev/null || echo make
  command -v python3 >/dev/null || echo python3
  [ -e /usr/include/gssapi/gssapi.h ] || echo libkrb5-dev
}

apt_install() {
  apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$@"
}

# packages installs them.
packages() {
  local names
  mapfile -t names < <(missing)
  [ ${#names[@]} -eq 0 ] && return
  if [ "$(id -u)" -ne 0 ]; then
    say "missing: ${names[*]}; install them, or run this as root"
    return 1
  fi
  say "installing ${names[*]}"
  # The second time finishes what an interrupted installation has left.
  apt_install "${names[@]}" >&2 || { dpkg --configure -a && apt_install --fix-broken "${names[@]}"; } >&2
}

# headers prints the folder above include/node of the running Node.
headers() {
  local prefix
  prefix=$(node -p 'require("path").dirname(require("path").dirname(require("fs").realpathSync(process.execPath)))')
  if [ ! -e "$prefix/include/node/node.h" ]; then
    say "no headers of Node below $prefix/include; install them (Debian: libnode-dev)"
    return 1
  fi
  printf '%s\n' "$prefix"
}

# build_natives builds the modules whose binaries npm would have fetched.
build_natives() {
  local nodedir gyp module
  nodedir=$(headers)
  gyp=$(npm root -g)/npm/node_modules/node-gyp/bin/node-gyp.js
  if [ ! -e "$gyp" ]; then
    say "no node-gyp at $gyp; npm brings it along: install npm"
    return 1
  fi
  (cd node_modules/argon2 && ../.bin/node-pre-gyp rebuild --build-from-source --nodedir="$nodedir")
  for module in "${natives[@]}"; do
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

# works DIR: the installation there is the wanted one, and all that was built
# for it loads in the running Node.
works() {
  [ -x "$1/node_modules/.bin/code-server" ] || return 1
  [ -x "$1/node_modules/code-server/lib/vscode/node_modules/@vscode/ripgrep/bin/rg" ] || return 1
  (
    cd "$1/node_modules/code-server"
    node -e '
      const { version } = require("./package.json");
      if (version !== process.argv[1]) throw new Error(`this is code-server ${version}`);
      require("argon2");
      for (const name of process.argv.slice(2)) require("./lib/vscode/node_modules/" + name);
    ' "$version" "${natives[@]}" >/dev/null 2>&1
  )
}

# install_in DIR: installs code-server there.
install_in() {
  rm -rf "$1"
  mkdir -p "$1"
  cd "$1"
  printf '{"private": true}\n' >package.json
  npm install --no-audit --no-fund --ignore-scripts "code-server@$version"
  (cd node_modules/code-server/lib/vscode && npm install --no-audit --no-fund --ignore-scripts --omit=dev)
  (cd node_modules/code-server/lib/vscode/extensions && npm install --no-audit --no-fund --ignore-scripts --omit=dev)
  build_natives
  links
}

# install makes two attempts: registries have bad moments.
install() {
  local log=$dir.log next=$dir.next attempt
  for attempt in 1 2; do
    say "installing code-server $version in $dir; this takes a minute or two"
    # A shell of its own, for "set -e" does not reach into a condition.
    if "$BASH" "$0" --install-in "$next" >"$log" 2>&1 && works "$next"; then
      rm -rf "$dir"
      mv "$next" "$dir"
      return
    fi
    tail -n 40 "$log" >&2
    say "attempt $attempt failed; all of it is in $log"
  done
  return 1
}

case ${1:-} in
--install-in)
  install_in "$2"
  exit
  ;;
--check)
  [ -z "$(missing)" ] && works "$dir" || exit 1
  ;;
*)
  packages
  mkdir -p "$(dirname "$dir")"
  exec 9>"$dir.lock"
  flock 9 # another one may be installing it
  works "$dir" || install
  ;;
esac
printf '%s\n' "$dir/node_modules/.bin/code-server"
