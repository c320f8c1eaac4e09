# SPDX-License-Identifier: MIT
# Sourced by the scripts that package the portable build: the command with its libraries
# inside, and the library, of the last commit, for glibc 2.17 and later. The same commit
# gives the same bytes.
# shellcheck shell=bash

root=$(cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.." && pwd)
packages=$root/build/packages
version=$(sed -n "s/^  version: '\(.*\)',$/\1/p" "$root/meson.build")
# What --version names: a release, or a commit.
export TRACEMALLOC_BUILD_NAME=${TRACEMALLOC_BUILD_NAME:-$(git -C "$root" rev-parse --short=12 HEAD)}
# Whose code is inside the command.
linked=(libbz2-dev libdw-dev libiberty-dev liblzma-dev libncurses-dev libprotobuf-c-dev
    libyajl-dev zlib1g-dev)

# no_arguments NAME SENTENCE ARGS...: NAME has no option but --help.
no_arguments() {
    case "${3:-}" in
    "") return ;;
    --help | -h)
        printf '%s\n' "Usage: scripts/$1" "$2"
        exit 0
        ;;
    *)
        echo "Usage: scripts/$1" >&2
        exit 2
        ;;
    esac
}

# quietly COMMAND...: its output is in a file, which is shown if it fails.
quietly() {
    "$@" >>"$packages/build.log" 2>&1 || {
        tail -n 20 "$packages/build.log" >&2
        exit 1
    }
}

# copy_licenses BUILD DIRECTORY: of us, of what is linked, of the page's scripts.
copy_licenses() {
    local name text
    mkdir -p "$2"
    for name in "${linked[@]}"; do
        cp "/usr/share/doc/$name/copyright" "$2/$name.txt"
    done
    for text in GPL-2 GPL-3 LGPL-2 LGPL-2.1 LGPL-3; do
        cp -L "/usr/share/common-licenses/$text" "$2/$text.txt"
    done
    find "$1" -path '*/node_modules/*' -iname 'LICENSE*' -type f | sort \
        | while read -r text; do
            name=${text%/*}
            case "$name" in *esbuild*) continue ;; esac # only builds the page
            cp "$text" "$2/${name##*/node_modules/}.txt"
        done
}

# build_portable DIRECTORY: the tree as it is installed, with its root there.
build_portable() {
    local source=$packages/source
    "$root/scripts/setup-debian" package
    mkdir -p "$packages"
    rm -rf "$source" "$1"
    : >"$packages/build.log"
    mkdir "$source"
    git -C "$root" archive HEAD | tar -x -C "$source"
    SOURCE_DATE_EPOCH=$(git -C "$root" log -1 --format=%ct)
    export SOURCE_DATE_EPOCH
    quietly meson setup --buildtype=release --prefix=/ --libdir=lib -Dportable=true \
        -Dtests=disabled -Dcommit="$TRACEMALLOC_BUILD_NAME" "$source/build" "$source"
    quietly ninja -C "$source/build"
    DESTDIR=$1 quietly meson install -C "$source/build" --no-rebuild
    strip "$1/bin/tracemalloc" "$1/lib/libtracemalloc.so"
    quietly python3 -B "$root/tests/lint/glibc_versions.py" "$1/bin/tracemalloc" \
        "$1/lib/libtracemalloc.so"
    rm -r "$1/lib/pkgconfig" # it would name another prefix
    cp "$source/LICENSE" "$1"
    copy_licenses "$source/build" "$1/licenses"
    rm -rf "$source"
}
