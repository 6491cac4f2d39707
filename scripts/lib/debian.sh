# What each release of Debian has of PostgreSQL. The main major of the release that a script runs
# on is installed there, and tested in full; scripts/lib/roots.sh makes a root of another release
# for each other major. A new release is a line in each of the two functions.
# shellcheck shell=bash

# The majors that are tested everywhere.
# shellcheck disable=SC2034
supported_majors="15 17 18"

# The one that this machine's release has as the main one.
main_major() { main_major_of "$(os_release VERSION_CODENAME)"; }

# main_major_of RELEASE: the one that its package "postgresql" depends on.
main_major_of() {
  case $1 in
    bookworm) echo 15 ;;
    trixie) echo 17 ;;
    forky | sid) echo 18 ;; # sid says that it is forky
    *)
      die "runs on Debian 12 (bookworm), Debian 13 (trixie) and testing (forky), and this is $(os_release PRETTY_NAME);" \
        "README.md, section \"Two commands\", says what to install elsewhere"
      ;;
  esac
}

os_release() {
  # shellcheck disable=SC1091
  (. /etc/os-release 2>/dev/null && echo "${!1-}") || true
}

# suite_of MAJOR: the release that a root with this major is made of.
suite_of() {
  case $1 in
    15) echo bookworm ;;
    17) echo trixie ;;
    18) echo forky ;;
    19) echo sid ;; # with experimental
    *) die "no Debian suite is known to have PostgreSQL $1" ;;
  esac
}
