#!/usr/bin/env bash
# machine.sh RELEASE DIR: what a newcomer does on a bare machine of the Debian release RELEASE
# (trixie, bookworm), in a chroot under DIR that begins with git and Debian's minimal base alone:
# clones this repository's HEAD, types `./dev run`, reads the greeting and types its curl lines, looks
# at the page, types `./dev test`. Needs root, mmdebstrap and port 8080. A second run is quicker: DIR
# keeps the base image and the packages, and this machine's ccache is used.
set -euo pipefail
release=$1
dir=$(realpath -m "$2/$1")
repository=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)
root=$dir/root

# Mounts and processes live in namespaces of their own and end with this script.
if [ "${3:-}" != in-namespace ]; then
  exec unshare --mount --pid --fork --kill-child "$0" "$1" "$2" in-namespace
fi

ccache=${CCACHE_DIR:-$HOME/.cache/ccache}
mkdir -p "$dir/archives/partial" "$ccache"
if [ ! -f "$dir/base.tar" ]; then
  mmdebstrap --quiet --variant=minbase --include=git,ca-certificates "$release" "$dir/base-new.tar"
  mv "$dir/base-new.tar" "$dir/base.tar"
fi
rm -rf "$root"
mkdir "$root"
tar -xf "$dir/base.tar" -C "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --bind "$dir/archives" "$root/var/cache/apt/archives"
mkdir -p "$root/root/.cache/ccache"
mount --bind "$ccache" "$root/root/.cache/ccache"
cp /etc/resolv.conf /etc/hosts "$root/etc/"
# Authorities that this machine's administrator added.
if compgen -G '/usr/local/share/ca-certificates/*.crt' >/dev/null; then
  cp /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/"
  chroot "$root" update-ca-certificates >/dev/null
fi
echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/unsafe"  # nothing of it outlives this script
git clone --quiet --no-hardlinks "$repository" "$root/root/mlpd"

inside=(chroot "$root" env -i HOME=/root LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin bash -euc)
fetch() { curl -fsS --max-time 5 "http://127.0.0.1:8080$1" 2>/dev/null; }
! fetch / >/dev/null || { echo "port 8080 is taken"; exit 1; }

echo "-- ./dev run on $(sed -n 's/^PRETTY_NAME=//p' "$root/etc/os-release")"
"${inside[@]}" 'cd ~/mlpd && exec ./dev run' >"$dir/greeting" &
server=$!
until fetch /v2/health/ready >/dev/null && fetch /v1/networks/demo | grep -q '"state":"idle","step":2000'; do
  kill -0 "$server" 2>/dev/null || { echo "./dev run ended"; exit 1; }
  read -rt 0.2 <> <(:) || :
done
cat "$dir/greeting"
"${inside[@]}" "$(grep '^  curl ' "$dir/greeting" | sed 's/curl /curl -fsS /')" | grep -q '"outputs"'
fetch / | grep -qi '<title>'
kill "$server"
wait "$server"

echo "-- ./dev test"
"${inside[@]}" 'cd ~/mlpd && ./dev test'
echo "-- $release: $((SECONDS / 60)) min $((SECONDS % 60)) s"
