# SPDX-License-Identifier: GPL-2.0
"""Packets of TCP over IPv4 or IPv6, and frames of Ethernet with them, made and read by hand."""

import struct

ETHERNET_LEN = 14
IPV4, IPV6 = struct.Struct("!BBHHHBBH4s4s"), struct.Struct("!IHBB16s16s")
ETH_P_IP, ETH_P_IPV6 = b"\x08\0", b"\x86\xdd"
IPPROTO_TCP = 6
HOPS = 64

# What fits in a frame with headers that have no options, by the length of an address.
MOST = {4: 1500 - 20 - 20, 16: 1500 - 40 - 20}


def checksum(data: bytes) -> int:
    """The sum that all of IP has (RFC 1071)."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def tcp_sum(source: bytes, target: bytes, tcp: bytes) -> int:
    """The sum of a segment whose own field for it is 0 (RFC 9293 §3.1). Padding with zeros makes no
    difference to a sum, so that IPv4's pseudo-header serves for both."""
    return checksum(source + target + struct.pack("!HH", IPPROTO_TCP, len(tcp)) + tcp)


def packet(source: bytes, target: bytes, tcp: bytes) -> bytes:
    """The packet of a segment."""
    if len(source) == 16:
        return IPV6.pack(6 << 28, len(tcp), IPPROTO_TCP, HOPS, source, target) + tcp
    fields = [0x45, 0, 20 + len(tcp), 0, 0x4000, HOPS, IPPROTO_TCP, 0, source, target]
    fields[7] = checksum(IPV4.pack(*fields))
    return IPV4.pack(*fields) + tcp


def wrap(ethernet: bytes, source: bytes, target: bytes, tcp: bytes) -> bytes:
    """The frame of a segment, between these two hardware addresses."""
    kind = ETH_P_IPV6 if len(source) == 16 else ETH_P_IP
    return ethernet + kind + packet(source, target, tcp)


def unwrap(frame: bytes) -> tuple[bytes, bytes, bytes] | None:
    """The source, the target and the segment of a frame that has one."""
    kind, whole = frame[ETHERNET_LEN - 2 : ETHERNET_LEN], frame[ETHERNET_LEN:]
    if kind == ETH_P_IP and len(whole) >= IPV4.size:
        _, _, length, _, _, _, protocol, _, source, target = IPV4.unpack_from(whole)
        begin = (whole[0] & 15) * 4
    elif kind == ETH_P_IPV6 and len(whole) >= IPV6.size:
        _, length, protocol, _, source, target = IPV6.unpack_from(whole)
        begin, length = IPV6.size, IPV6.size + length
    else:
        return None
    return (source, target, whole[begin:length]) if protocol == IPPROTO_TCP else None
