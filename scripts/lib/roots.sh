# Debian roots for the PostgreSQL versions that this Debian does not have: root-15 (bookworm),
# root-17 (trixie), root-18 (forky) and, when asked for, root-19 (sid with experimental), kept
# between runs in the cache directory. Needs scripts/lib/debian.sh. Nothing but Debian's packages
# ever goes into one: tests bring their own files and take them away.
# shellcheck shell=bash

root_cache=${SEEME_RBAC_CACHE:-/var/cache/seeme_rbac}
root_mirror=${SEEME_RBAC_MIRROR:-http://deb.debian.org/debian}

root_of() { echo "$root_cache/root-$1"; }

packages_of() {
  echo "postgresql-$1 postgresql-server-dev-$1 make gcc libc6-dev libcjose-dev libjansson-dev"
  # 19 has neither yet; a test of nearest rows needs pgvector, which Debian has from 17 on.
  [ "$1" = 19 ] || echo "postgresql-$1-pgtap"
  case $1 in 17 | 18) echo "postgresql-$1-pgvector" ;; esac
}

# A finished root says what was installed into it. The file is written last, so that a root whose
# making was interrupted, or that was made for another list of packages, does not pass for a
# finished one.
root_stamp() { echo "$(root_of "$1")/etc/seeme_rbac-root"; }
root_is_ready() {
  [ "$(cat "$(root_stamp "$1")" 2>/dev/null)" = "$(suite_of "$1"): $(packages_of "$1" | xargs)" ] &&
    [ -x "$(root_of "$1")/usr/lib/postgresql/$1/bin/postgres" ]
}

# debootstrap takes its own directory away when it is done.
root_is_bootstrapped() {
  local root
  root=$(root_of "$1")
  [ -x "$root/usr/bin/apt-get" ] && [ -s "$root/var/lib/dpkg/status" ] && [ ! -e "$root/debootstrap" ]
}

remove_root() {
  local root=$1 mounted
  [ -e "$root" ] || return 0
  # An interrupted debootstrap leaves /proc and /sys mounted below: never delete through those.
  while read -r mounted; do
    umount "$mounted" || return
  done < <(awk -v below="$root/" 'index($2, below) == 1 { print $2 }' /proc/self/mounts | sort -r)
  rm -rf --one-file-system "$root"
}

bootstrap_root() {
  local root suite script=/usr/share/debootstrap/scripts
  root=$(root_of "$1") suite=$(suite_of "$1") || return
  # A debootstrap has no script for a suite younger than itself: that of sid serves.
  if [ -e "$script/$suite" ]; then script=$script/$suite; else script=$script/sid; fi
  remove_root "$root" && remove_root "$root.new" && mkdir -p "$root.new" || return
  debootstrap --variant=minbase "$suite" "$root.new" "$root_mirror" "$script" || return
  mv "$root.new" "$root"
}

# in_root ROOT COMMAND...: as root, with a /proc (packages' scripts ask for it) that nobody outside
# sees and that is gone when the command ends.
in_root() {
  # shellcheck disable=SC2016
  unshare --mount --propagation private sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$1" \
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "${@:2}"
}

# There is no pgTAP for 19 yet. It is nothing but SQL, so that of 18 serves.
borrow_pgtap() {
  in_root "$1" sh -c 'cd /tmp && apt-get -qq download postgresql-18-pgtap && dpkg-deb -x postgresql-18-pgtap_*.deb pgtap &&
    cp pgtap/usr/share/postgresql/18/extension/* /usr/share/postgresql/19/extension/ && rm -r pgtap postgresql-18-pgtap_*.deb'
}

# shellcheck disable=SC2046
install_into_root() {
  local major=$1 root from=()
  root=$(root_of "$major")
  rm -f "$(root_stamp "$major")"
  # Neither a service nor a cluster of its own may start in there.
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod 755 "$root/usr/sbin/policy-rc.d"
  cp -L /etc/resolv.conf "$root/etc/resolv.conf"
  if [ "$major" = 19 ]; then
    echo "deb $root_mirror experimental main" >"$root/etc/apt/sources.list.d/experimental.list"
    from=(-t experimental)
  fi
  # A mirror that lags, or a snapshot, outlives its lists' validity; the signatures are checked all
  # the same.
  local apt=(apt-get -qq -o Acquire::Retries=3 -o Acquire::Check-Valid-Until=false -o Dpkg::Use-Pty=0)
  in_root "$root" dpkg --configure -a &&
    in_root "$root" "${apt[@]}" update &&
    in_root "$root" "${apt[@]}" install -y --no-install-recommends postgresql-common &&
    sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' "$root/etc/postgresql-common/createcluster.conf" &&
    in_root "$root" "${apt[@]}" install -y --no-install-recommends "${from[@]}" $(packages_of "$major") &&
    { [ "$major" != 19 ] || borrow_pgtap "$root"; } &&
    in_root "$root" apt-get clean &&
    echo "$(suite_of "$major"): $(packages_of "$major" | xargs)" >"$(root_stamp "$major")"
}

# prepare_root MAJOR: makes it, or completes it, or finds it ready. One process at a time does so.
prepare_root() (
  mkdir -p "$root_cache"
  exec 9>"$root_cache/lock-$1"
  flock 9
  root_is_ready "$1" && exit 0
  if root_is_bootstrapped "$1" && install_into_root "$1"; then exit 0; fi
  bootstrap_root "$1" && install_into_root "$1"
)
