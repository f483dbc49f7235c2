#!/usr/bin/env bash
# engine.sh DIR: starts a throw-away Docker engine under DIR (socket DIR/d.sock) that has the image
# debian:bookworm-slim, made from Debian's packages without documentation and translations. Needs no registry.
set -euo pipefail
dir=$(realpath -m "$1")
mkdir -p "$dir"
export DOCKER_HOST=unix://$dir/d.sock

if ! /usr/bin/docker info >/dev/null 2>&1; then
  /usr/sbin/dockerd --data-root "$dir/data" --exec-root "$dir/exec" -p "$dir/pid" -H "$DOCKER_HOST" \
    --storage-driver=overlay2 --iptables=false --bridge=none >"$dir/log" 2>&1 </dev/null &
  for ((try = 0; try < 300; try++)); do
    /usr/bin/docker info >/dev/null 2>&1 && break
    read -rt 0.1 <> <(:) || :
  done
  /usr/bin/docker info >/dev/null || { cat "$dir/log" >&2; exit 1; }
fi

if ! /usr/bin/docker image inspect debian:bookworm-slim >/dev/null 2>&1; then
  # With the authorities that this machine's administrator added.
  # shellcheck disable=SC2016 # mmdebstrap's own $1
  mmdebstrap --quiet --variant=minbase --include=usr-is-merged \
    --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
    --setup-hook='mkdir -p "$1/usr/local/share"' \
    --setup-hook='cp -r /usr/local/share/ca-certificates "$1/usr/local/share"' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/info/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-include=/usr/share/doc/*/copyright' bookworm "$dir/slim.tar"
  /usr/bin/docker import "$dir/slim.tar" debian:bookworm-slim >/dev/null
fi
