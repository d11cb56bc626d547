# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the scripts share: paths, the cache, messages, and running things in the root file system.
# To be sourced.

set -euo pipefail

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/ktcpvs
BUILD=$TOP/build
# shellcheck disable=SC2034 # For those who source this.
SUITE=trixie

say() {
    printf '==> %s\n' "$*" >&2
}

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# hash_of FILE-OR-WORD...: a short name for all that something is made of.
hash_of() {
    local item

    for item; do
        if [ -f "$item" ]; then cat "$item"; else printf '%s\n' "$item"; fi
    done | sha256sum | cut -c1-12
}

# cached DIR COMMAND...: runs COMMAND DIR.new, and keeps the result as DIR once it is whole.
cached() {
    local dir=$1
    shift

    [ -d "$dir" ] && return
    mkdir -p "$CACHE"
    (
        flock 9
        [ -d "$dir" ] && exit
        rm -rf "$dir.new"
        mkdir -p "$dir.new"
        "$@" "$dir.new" >&2
        mv "$dir.new" "$dir"
    ) 9>"$dir.lock"
}

# logged FILE COMMAND...: runs COMMAND into a log, says that it goes on, shows the end if it fails.
logged() {
    local log=$1 pid start=$SECONDS
    shift

    mkdir -p "$(dirname "$log")"
    "$@" >"$log" 2>&1 9>&- &
    pid=$!
    while sleep 1 && kill -0 "$pid" 2>/dev/null; do
        (((SECONDS - start) % 30)) || say "  … $((SECONDS - start)) s"
    done
    if ! wait "$pid"; then
        tail -n 40 "$log" >&2
        die "failed; the whole log is in $log"
    fi
}

# in_chroot ROOT [SOURCE:TARGET]... -- COMMAND...: runs COMMAND in ROOT with directories of the
# host bound in, all in a mount namespace of its own that leaves nothing behind.
in_chroot() {
    local root=$1 binds=()
    shift

    while [ "$1" != -- ]; do
        binds+=("$1")
        shift
    done
    shift
    unshare --mount --propagation private bash -euc '
        root=$1 count=$2
        shift 2
        while [ "$count" -gt 0 ]; do
            mkdir -p "$root${1#*:}"
            mount --bind "${1%%:*}" "$root${1#*:}"
            shift
            count=$((count - 1))
        done
        mount -t proc proc "$root/proc"
        mount --rbind /dev "$root/dev"
        exec chroot "$root" env -i HOME=/root LANG=C.UTF-8 \
            PATH=/usr/lib/llvm-19/bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
    ' in_chroot "$root" "${#binds[@]}" "${binds[@]}" "$@"
}

# build_with KERNEL SOURCE OUT ARGUMENT...: has a kernel of ours, by the directory that it is kept in,
# build the module in SOURCE, which is below the top.
build_with() {
    local kernel=$1 source=$2 out=$3 root release kernel_args
    shift 3

    root=$("$TOP/scripts/rootfs")
    release=$(cat "$kernel/release")
    mapfile -t kernel_args < <(cat "$kernel/make-args" 2>/dev/null)
    in_chroot "$root" "$kernel/kdir:/kdir" "$TOP:/src" "$out:/out" -- \
        make -s -C /kdir "M=/src${source#"$TOP"}" MO=/out "${kernel_args[@]}" \
        "LOCALVERSION=$(sed 's/^[0-9.]*//' <<<"$release")" "$@" modules >&2
}

need_root() {
    [ "$(id -u)" = 0 ] || die "$1 needs root: it makes a Debian root file system and mounts."
}

mkdir -p "$BUILD"
