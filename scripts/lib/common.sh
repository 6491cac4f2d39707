# What every script here shares: messages, running things quietly, and cleaning up whatever happens.
# shellcheck shell=bash

step() { printf '\n== %s\n' "$*"; }
say() { printf '   %s\n' "$*"; }
die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

need_root() {
  [ "$(id -u)" = 0 ] || die "$1 needs root (try: sudo $0)"
}

# quietly COMMAND...: its output is shown only when it fails.
quietly() {
  local log status=0
  log=$(mktemp)
  "$@" >"$log" 2>&1 </dev/null || status=$?
  [ "$status" = 0 ] || { sed 's/^/   | /' "$log"; printf '   | exit status %s: %s\n' "$status" "$*"; }
  rm -f "$log"
  return "$status"
}

# at_exit COMMAND: runs when the script ends, by itself, by an error or by a signal; the last one
# first. (A signal is acted on at once only where the script is in `wait`, so long work goes there.)
at_exit_commands=()
at_exit() { at_exit_commands=("$1" "${at_exit_commands[@]}"); }
run_at_exit() {
  local status=$? command
  trap '' INT TERM HUP
  for command in "${at_exit_commands[@]}"; do
    eval "$command" || true
  done
  exit "$status"
}
trap run_at_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# in_background COMMAND...: in a process group of its own, $background; end_group ends all that is
# in it.
in_background() {
  set -m
  "$@" </dev/null &
  # shellcheck disable=SC2034
  background=$!
  set +m
}
end_group() { kill -TERM -- "-$1" 2>/dev/null || true; }
