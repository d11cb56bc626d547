# SPDX-License-Identifier: GPL-2.0
"""BPF programs that others run on a director: bpf(2), without a library."""

import contextlib
import ctypes
import os
import struct
from collections.abc import Iterator

SYS_BPF = 321

# Commands, and what they are about.
MAP_CREATE, PROG_LOAD, PROG_ATTACH, PROG_DETACH = 0, 5, 8, 9
MAP_TYPE_SOCKHASH = 18
PROG_TYPE_SOCK_OPS = 13
CGROUP_SOCK_OPS = 3

# What the program is called for, and what it calls.
ACTIVE_ESTABLISHED, PASSIVE_ESTABLISHED = 4, 5
GET_SOCKET_COOKIE, SOCK_HASH_UPDATE = 46, 70

ENTRIES = 4096


def bpf(command: int, attributes: bytes) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    place = ctypes.create_string_buffer(attributes.ljust(128, b"\0"), 128)
    done = libc.syscall(SYS_BPF, command, place, 128)
    if done < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return done


def step(code: int, to: int = 0, of: int = 0, offset: int = 0, value: int = 0) -> bytes:
    return struct.pack("<BBhi", code, to | of << 4, offset, value)


def load(kind: int, *steps: bytes) -> int:
    """Loads a program."""
    code = ctypes.create_string_buffer(b"".join(steps))
    licensed = ctypes.create_string_buffer(b"GPL")
    places = ctypes.addressof(code), ctypes.addressof(licensed)
    return bpf(PROG_LOAD, struct.pack("<IIQQ", kind, len(code) // 8, *places))


@contextlib.contextmanager
def sockmap(event: int) -> Iterator[None]:
    """All TCP sockets of the machine that are established by `event` are put into a sockmap
    meanwhile, by their cookies, as is done to short-cut the connections of containers
    (Documentation/bpf/map_sockmap.rst)."""
    with contextlib.ExitStack() as ends:
        sockets = bpf(MAP_CREATE, struct.pack("<IIII", MAP_TYPE_SOCKHASH, 8, 4, ENTRIES))
        ends.callback(os.close, sockets)
        program = load(
            PROG_TYPE_SOCK_OPS,
            step(0xBF, to=6, of=1),                               # r6 = r1
            step(0x61, to=2, of=1),                               # r2 = r1->op
            step(0x55, to=2, offset=9, value=event),              # if r2 != event: the end
            step(0x85, value=GET_SOCKET_COOKIE),
            step(0x7B, to=10, of=0, offset=-8),                   # the key: *(r10 - 8) = r0
            step(0xBF, to=1, of=6),
            step(0x18, to=2, of=1, value=sockets), step(0),       # r2 = sockets
            step(0xBF, to=3, of=10), step(0x07, to=3, value=-8),  # r3 = r10 - 8
            step(0xB7, to=4),
            step(0x85, value=SOCK_HASH_UPDATE),
            step(0xB7, to=0, value=1),                            # the end: return 1
            step(0x95),
        )  # fmt: skip
        ends.callback(os.close, program)
        root = os.open("/sys/fs/cgroup", os.O_RDONLY | os.O_DIRECTORY)
        ends.callback(os.close, root)
        place = struct.pack("<III", root, program, CGROUP_SOCK_OPS)
        bpf(PROG_ATTACH, place)
        ends.callback(bpf, PROG_DETACH, place)
        yield
