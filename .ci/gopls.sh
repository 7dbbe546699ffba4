#!/usr/bin/env bash
# Installs the gopls that tests run beside our language server, and prints the
# path of the program as its last line. It changes nothing when it is there.
# gopls needs a newer Go than this module; the go command fetches it.
set -euo pipefail

version=v0.24.0
toolchain=go1.27.3
dir=${XDG_CACHE_HOME:-$HOME/.cache}/restep/gopls-$version

if ! "$dir/gopls" version >/dev/null 2>&1; then
  mkdir -p "$dir"
  exec 9>"$dir.lock"
  flock 9 # another one may be building it
  if ! "$dir/gopls" version >/dev/null 2>&1; then
    printf 'gopls.sh: building gopls %s; this takes a minute or two\n' "$version" >&2
    cd / # not in a module of ours
    GOBIN=$dir GOTOOLCHAIN=$toolchain GOFLAGS=-p=2 go install "golang.org/x/tools/gopls@$version" >&2
  fi
fi
printf '%s\n' "$dir/gopls"
