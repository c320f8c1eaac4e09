# SPDX-License-Identifier: MIT
# Sourced by the scripts that need another Debian than this one: a minimal tree in a
# directory of its own, made by debootstrap. Needs root.
# shellcheck shell=bash

say() { printf '%s\n' "$*"; }

skipped() { say "skipped: $*"; }

# tree_obstacle PROGRAMS...: why trees cannot be made here, or nothing. Installs what is
# needed for it.
tree_obstacle() {
    if [ "$(id -u)" -ne 0 ]; then
        say "not root, debootstrap needs it"
    elif ! command -v apt-get >/dev/null; then
        say "no apt-get, this is no Debian"
    elif [ "$(dpkg --print-architecture)" != amd64 ]; then
        say "only tried on amd64"
    elif ! install_tools "$@"; then
        say "$* cannot be installed (no network?)"
    fi
}

# Each program is in the package of its name.
install_tools() {
    [ "$(command -v "$@" | wc -l)" -eq $# ] && return 0
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update && apt-get install -y "$@"; } >/dev/null 2>&1
}

# The Debian mirror that this machine is configured for, in either format of apt.
mirror() {
    local found
    found=$(sed -nE 's/^(URIs:|deb( +\[[^]]*\])?)[[:space:]]+//p' \
        /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | tr -s ' ' '\n' \
        | grep -E -m 1 '^https?://.*/debian/?$')
    say "${found:-http://deb.debian.org/debian}"
}

use_proxy_of_apt() {
    local proxy=
    eval "$(apt-config shell proxy Acquire::http::Proxy)"
    [ -z "$proxy" ] || export http_proxy=$proxy
}

# debootstrap leaves proc mounted when it is interrupted: never delete through that.
remove_tree() {
    if mountpoint -q "$1/proc"; then umount "$1/proc" || return; fi
    if mountpoint -q "$1/sys"; then umount "$1/sys" || return; fi
    rm -rf --one-file-system "$1"
}

# make_tree SUITE DIRECTORY [PACKAGES]: the minimal Debian, complete or not there at all.
# PACKAGES are separated by commas.
make_tree() {
    local packages=${3:-}
    [ -e "$2/.bootstrapped" ] && return 0
    case "$(mirror)" in https:*) packages=${packages:+$packages,}ca-certificates ;; esac
    remove_tree "$2" && debootstrap --variant=minbase ${packages:+"--include=$packages"} \
        "$1" "$2" "$(mirror)" && touch "$2/.bootstrapped"
}

# in_tree DIRECTORY ARGS...: apt-get inside. A mirror's Release file may be past its date.
in_tree() {
    local target=$1
    shift
    DEBIAN_FRONTEND=noninteractive LC_ALL=C chroot "$target" apt-get -y \
        -o Acquire::Check-Valid-Until=false -o Dpkg::Options::=--force-unsafe-io \
        --no-install-recommends "$@"
}
