#!/usr/bin/env python3
"""Computes trees, heads, tiles, checkpoints and proofs of a transparency log, and compares them with the test vectors.

docs/tamper-evidence.md specifies the bytes. This script follows only that page and the RFCs, and shares no code with
the library, whose prover and verifier are held to the same vectors. Without arguments it checks the vectors in
docs/vectors/transparency-log.json; with --write it writes them again.
"""

import base64
import hashlib
import json
import sys
from pathlib import Path

VECTORS = Path(__file__).resolve().parent.parent / "docs/vectors/transparency-log.json"
SIZES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 65, 255, 256, 257, 300]
LARGEST = SIZES[-1]
ORIGIN = "ledgerfold.example/vectors"

# The curve P-256: y^2 = x^3 - 3x + B over the field of P, with the generator G of order N.
P = 2**256 - 2**224 + 2**192 + 2**96 - 1
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")


def sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def leaf_hash(content: bytes) -> bytes:
    return sha256(b"\0" + content)


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right)


def root(leaves: list[bytes]) -> bytes:
    """The root over the hashes of leaves: RFC 6962, section 2.1."""
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(root(leaves[:middle]), root(leaves[middle:]))


def inclusion(leaves: list[bytes], index: int) -> list[bytes]:
    """The proof that a leaf is in the tree: RFC 6962, section 2.1.1."""
    if len(leaves) == 1:
        return []
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    if index < middle:
        return [*inclusion(leaves[:middle], index), root(leaves[middle:])]
    return [*inclusion(leaves[middle:], index - middle), root(leaves[:middle])]


def consistency(leaves: list[bytes], old: int, whole: bool = True) -> list[bytes]:
    """The proof that the tree continues its first leaves: RFC 6962, section 2.1.2."""
    if old == len(leaves):
        return [] if whole else [root(leaves)]
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    if old <= middle:
        return [*consistency(leaves[:middle], old, whole), root(leaves[middle:])]
    return [*consistency(leaves[middle:], old - middle, False), root(leaves[:middle])]


def field(content: bytes | str) -> bytes:
    content = content.encode() if isinstance(content, str) else content
    return len(content).to_bytes(8, "big") + content


def number(value: int) -> bytes:
    return value.to_bytes(8, "big")


def commit_entry(stream: str, first: int, last: int, commit: bytes) -> bytes:
    return field("ledgerfold entry 1") + field(stream) + number(first) + number(last) + field(commit)


def head_entry(stream: str, version: int, commit: bytes) -> bytes:
    return field("ledgerfold head 1") + field(stream) + number(version) + field(commit)


def heads_entry(streams: int, heads: bytes, sealed_at: str) -> bytes:
    return field("ledgerfold heads 1") + number(streams) + field(heads) + field(sealed_at)


def heads_root(heads: dict[str, tuple[int, bytes]]) -> bytes:
    """The root of the tree of heads: a tree over the roots of 256 shards."""
    shards = [[] for _ in range(256)]
    for name in sorted(heads, key=lambda name: sha256(name.encode())):
        shards[sha256(name.encode())[0]].append(leaf_hash(head_entry(name, *heads[name])))
    return root([leaf_hash(root(shard)) for shard in shards])


def tile_name(kind: int | str, index: int, width: int) -> str:
    groups = [f"{index % 1000:03}"]
    while index := index // 1000:
        groups.insert(0, f"x{index % 1000:03}")
    return f"tile/{kind}/{'/'.join(groups)}" + (f".p/{width}" if width < 256 else "")


def tiles(entries: list[bytes]) -> dict[str, bytes]:
    """The tiles and entry bundles of a tree of this size: C2SP tlog-tiles."""
    found = {}
    for start in range(0, len(entries), 256):
        part = entries[start : start + 256]
        bundle = b"".join(len(entry).to_bytes(2, "big") + entry for entry in part)
        found[tile_name("entries", start // 256, len(part))] = bundle
    level = 0
    hashes = [leaf_hash(entry) for entry in entries]
    while hashes:
        full = []
        for start in range(0, len(hashes), 256):
            part = hashes[start : start + 256]
            found[tile_name(level, start // 256, len(part))] = b"".join(part)
            full += [root(part)] if len(part) == 256 else []
        hashes, level = full, level + 1
    return found


def checkpoint_text(size: int, tree: bytes) -> str:
    return f"{ORIGIN}\n{size}\n{base64.b64encode(tree).decode()}\n"


def add(one: tuple | None, other: tuple | None) -> tuple | None:
    """The sum of two points of P-256; None is the point at infinity."""
    if one is None or other is None:
        return one or other
    (x, y), (u, v) = one, other
    if x == u and (y + v) % P == 0:
        return None
    if one == other:
        slope = (3 * x * x - 3) * pow(2 * y, -1, P)
    else:
        slope = (v - y) * pow(u - x, -1, P)
    w = (slope * slope - x - u) % P
    return w, (slope * (x - w) - y) % P


def times(factor: int, point: tuple) -> tuple | None:
    total = None
    while factor:
        total = add(total, point) if factor & 1 else total
        point = add(point, point)
        factor >>= 1
    return total


def spki(point: tuple) -> bytes:
    return SPKI + b"\x04" + point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big")


def der(value: int) -> bytes:
    content = value.to_bytes(value.bit_length() // 8 + 1, "big")
    return bytes([2, len(content)]) + content


def sign(text: bytes, secret: int) -> bytes:
    """Signs with ECDSA. The nonce is a hash, so that the vectors never change; the key protects nothing."""
    digest = int.from_bytes(sha256(text), "big")
    nonce = int.from_bytes(sha256(b"nonce" + secret.to_bytes(32, "big") + text), "big") % N
    r = times(nonce, G)[0] % N
    s = pow(nonce, -1, N) * (digest + r * secret) % N
    body = der(r) + der(s)
    return bytes([0x30, len(body)]) + body


def verifies(text: bytes, signature: bytes, point: tuple) -> bool:
    x, y = point
    if (y * y - x * x * x + 3 * x - B) % P:
        return False
    length = signature[3]
    r = int.from_bytes(signature[4 : 4 + length], "big")
    s = int.from_bytes(signature[6 + length :], "big")
    if not (0 < r < N and 0 < s < N):
        return False
    digest = int.from_bytes(sha256(text), "big")
    inverse = pow(s, -1, N)
    sum_ = add(times(digest * inverse % N, G), times(r * inverse % N, point))
    return sum_ is not None and sum_[0] % N == r


def note(text: str, key: bytes, signature: bytes) -> str:
    line = base64.b64encode(sha256(key)[:4] + signature).decode()
    return f"{text}\n— {ORIGIN} {line}\n"


def verifier_key(key: bytes) -> str:
    return f"{ORIGIN}+{sha256(key)[:4].hex()}+{base64.b64encode(bytes([2]) + key).decode()}"


def log() -> tuple[list[bytes], dict[str, tuple[int, bytes]]]:
    """The entries of a small log: 40 streams, and the heads after each 100 commits."""
    entries, heads = [], {}
    commits = 0
    while len(entries) < LARGEST:
        if len(entries) % 100 == 99:
            sealed_at = f"2026-11-29T00:{len(entries) // 100:02}:00Z"
            entries.append(heads_entry(len(heads), heads_root(heads), sealed_at))
            continue
        stream = f"tenant/order#{commits * 7 % 40:04}"
        first = heads.get(stream, (0, b""))[0] + 1
        last = first + commits % 3
        commit = sha256(f"commit {commits}".encode())
        entries.append(commit_entry(stream, first, last, commit))
        heads[stream] = (last, commit)
        commits += 1
    return entries, heads


def vectors() -> dict:
    entries, heads = log()
    leaves = [leaf_hash(entry) for entry in entries]
    inclusions = [
        {"index": index, "size": size, "hashes": [one.hex() for one in inclusion(leaves[:size], index)]}
        for size in SIZES
        for index in sorted({0, size // 3, size // 2, size - 1})
        if 0 <= index < size
    ]
    consistencies = [
        {"old": old, "size": size, "hashes": [one.hex() for one in consistency(leaves[:size], old)]}
        for size in SIZES
        for old in SIZES
        if 0 < old <= size
    ]
    secret = int.from_bytes(sha256(b"the key of the vectors"), "big") % N
    key = spki(times(secret, G))
    text = checkpoint_text(LARGEST, root(leaves))
    signed = note(text, key, sign(text.encode(), secret))
    index = 205
    lines = "".join(base64.b64encode(one).decode() + "\n" for one in inclusion(leaves, index))
    proof = f"c2sp.org/tlog-proof@v1\nextra {base64.b64encode(entries[index]).decode()}\nindex {index}\n{lines}\n{signed}"
    return {
        "entries": [entry.hex() for entry in entries],
        "roots": [{"size": size, "root": root(leaves[:size]).hex()} for size in SIZES],
        "inclusion": inclusions,
        "consistency": consistencies,
        "tiles": {
            str(size): {name: sha256(tile).hex() for name, tile in tiles(entries[:size]).items()}
            for size in (1, 256, 257, LARGEST)
        },
        "names": {"1234067": tile_name(0, 1234067, 256), "5 of width 12": tile_name("entries", 5, 12)},
        "heads": {
            "streams": {name: {"version": version, "hash": commit.hex()} for name, (version, commit) in heads.items()},
            "root": heads_root(heads).hex(),
            "rootOfNothing": heads_root({}).hex(),
        },
        "key": verifier_key(key),
        "checkpoint": signed,
        "proof": proof,
    }


def faults(stored: dict) -> list[str]:
    computed = vectors()
    found = [f"{name}: the vectors differ" for name in computed if computed[name] != stored.get(name)]
    key = base64.b64decode(stored["key"].split("+", 2)[2])[1:]
    point = int.from_bytes(key[27:59], "big"), int.from_bytes(key[59:], "big")
    text, line = stored["checkpoint"].split("\n\n")
    signature = base64.b64decode(line.split()[2])[4:]
    if not verifies(f"{text}\n".encode(), signature, point):
        found.append("checkpoint: the signature is wrong")
    if verifies(f"{text}x\n".encode(), signature, point):
        found.append("checkpoint: the signature fits another text")
    return found


def main() -> int:
    if "--write" in sys.argv:
        VECTORS.write_text(json.dumps(vectors(), indent=1) + "\n")
    found = faults(json.loads(VECTORS.read_text()))
    print("\n".join(found), file=sys.stderr, end="\n" if found else "")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
