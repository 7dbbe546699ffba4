#!/usr/bin/env bash
# Installs Emacs without windows, and Debian's dap-mode with all that it needs,
# for TestEmacs of package dap. The Lisp packages are unpacked, not installed:
# Debian would byte-compile each of them, which takes a minute on two cores.
# Does nothing where they are already, or where Debian has none.
set -euo pipefail

lisp=/usr/local/share/emacs/site-lisp/elpa-src

missing() {
  ! compgen -G "$lisp/dap-mode-*" >/dev/null && ! compgen -G "/usr/share/emacs/site-lisp/elpa-src/dap-mode-*" >/dev/null
}

# needed are the names of dap-mode and of the Lisp packages that it needs.
needed() {
  apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances \
    elpa-dap-mode | grep '^elpa-' | sort -u
}

command -v apt-get >/dev/null || exit 0
if ! apt-cache show elpa-dap-mode emacs-nox >/dev/null 2>&1; then
  apt-get update -q
  apt-cache show elpa-dap-mode emacs-nox >/dev/null 2>&1 || exit 0
fi
if ! command -v emacs >/dev/null; then
  DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends emacs-nox
fi
if [ "${1:-}" = --force ] || missing; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  mapfile -t packages < <(needed)
  (cd "$work" && apt-get download -q -o APT::Sandbox::User=root "${packages[@]}")
  for deb in "$work"/*.deb; do
    dpkg-deb -x "$deb" "$work/files"
  done
  mkdir -p "$lisp"
  cp -r --no-preserve=ownership "$work/files/usr/share/emacs/site-lisp/elpa-src/." "$lisp"
fi
