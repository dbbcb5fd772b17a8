#!/usr/bin/env python3
"""Computes the hashes of commits from items of the event table, and compares them with the stored hashes.

docs/stored-format.md specifies the item and the bytes of the hash. This script follows only that page, and shares no
code with the library. It reads the test vectors in docs/vectors/commit-hashes.json, or the files that are its
arguments. An item is in the JSON form of DynamoDB, but bytes (`B`) are hexadecimal digits.
"""

import hashlib
import json
import sys
from pathlib import Path

VECTORS = Path(__file__).resolve().parent.parent / "docs/vectors/commit-hashes.json"
DOMAIN = b"ledgerfold commit 1"
SPACE = " \t\n\r"
# Numbers stay text, because Python limits the digits of a number.
DECODER = json.JSONDecoder(parse_int=str, parse_float=str)


class Fields:
    """The bytes under a hash. Text and bytes have their length before them."""

    def __init__(self) -> None:
        self.sha256 = hashlib.sha256()
        self.bytes(DOMAIN)

    def number(self, number: int) -> None:
        self.sha256.update(number.to_bytes(8, "big"))

    def bytes(self, value: bytes) -> None:
        self.number(len(value))
        self.sha256.update(value)

    def text(self, text: str) -> None:
        self.bytes(text.encode())


def skip(text: str, at: int, characters: str) -> int:
    """The place after these characters."""
    while at < len(text) and text[at] in characters:
        at += 1
    return at


def members(text: str, at: int) -> tuple[dict[str, str], int]:
    """The members of the object at this place, each value as the text that is there, and the place after the object."""
    found = {}
    at = skip(text, at + 1, SPACE)
    while text[at] != "}":
        name, at = DECODER.raw_decode(text, at)
        start = skip(text, at, SPACE + ":")
        _, at = DECODER.raw_decode(text, start)
        found[name] = text[start:at]
        at = skip(text, at, SPACE + ",")
    return found, at + 1


def events(text: str) -> list[dict[str, str]]:
    """The events of the attribute `e`. Their content must not be serialised again: every character counts."""
    found = []
    at = skip(text, 1, SPACE)
    while text[at] != "]":
        event, at = members(text, at)
        found.append(event)
        at = skip(text, at, SPACE + ",")
    return found


def commit_hash(item: dict, previous: bytes | None) -> bytes:
    """The hash of a commit that follows a commit with the hash `previous`."""
    if "x" in item:
        raise ValueError("the events are in the payload store")
    command_id, name, fingerprint, recorded_at, actor = item["m"]["S"].split("\n")
    fields = Fields()
    fields.text(item["pk"]["S"])
    fields.number(int(item["sk"]["N"]))
    fields.number(int(item["to"]["N"]))
    fields.bytes(previous or bytes(32))
    listed = events(item["e"]["S"])
    fields.number(len(listed))
    for event in listed:
        fields.text(json.loads(event["i"]))
        fields.text(json.loads(event["t"]))
        fields.number(int(event["v"]))
        fields.text(event["d"])
    fields.text(command_id)
    fields.text(name)
    fields.text(fingerprint)
    siblings = item.get("j", {"L": []})["L"]
    fields.number(len(siblings))
    for sibling in siblings:
        fields.text(sibling["M"]["s"]["S"])
        fields.number(int(sibling["M"]["v"]["N"]))
    fields.text(recorded_at)
    fields.text(item["r"]["S"] if "r" in item else command_id)
    fields.text(item["u"]["S"] if "u" in item else command_id)
    fields.text(actor)
    fields.text(item["p"]["S"] if "p" in item else "")
    return fields.sha256.digest()


def wrong(vector: dict) -> str | None:
    """The reason why a vector is wrong, if it is."""
    previous = bytes.fromhex(vector["previous"]) if vector["previous"] else None
    computed = commit_hash(vector["item"], previous).hex()
    stored = vector["item"]["h"]["B"]
    if computed == stored == vector["hash"]:
        return None
    return f"{vector['name']}: computed {computed}, stored {stored}, expected {vector['hash']}"


def main() -> int:
    files = [Path(name) for name in sys.argv[1:]] or [VECTORS]
    vectors = [vector for file in files for vector in json.loads(file.read_text())]
    faults = [fault for fault in map(wrong, vectors) if fault]
    print("\n".join(faults), file=sys.stderr, end="\n" if faults else "")
    if not vectors:
        print("there are no vectors", file=sys.stderr)
    return int(bool(faults) or not vectors)


if __name__ == "__main__":
    sys.exit(main())
