#!/usr/bin/env python3
"""Checks that domain code does not know AWS, that no function knows the emulator, and that the verifier shares no code.

The verifier of the transparency log depends on no crate of the library, so that a mistake of the prover is not repeated.
Only the crates of `ADAPTERS` and the programs around the service may depend on the SDK of AWS. The code that runs in a
function names no emulator, so it behaves alike on AWS and on the local cloud.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Crates that call AWS.
ADAPTERS = {"aws", "cli", "dynamodb", "eventbridge", "kms", "lambda", "s3", "sqs", "transparency-aws"}
# Crates of the library whose code a function does not run: test libraries, and programs for developers.
NOT_DEPLOYED = {"cli", "dev", "infra", "proofs", "scale", "simulator", "testkit"}

# Crates that depend on no other crate of the library.
INDEPENDENT = {"verifier"}

OWN = re.compile(r"^(ledgerfold[-\w]*)[ .]", re.MULTILINE)
SDK = re.compile(r"^(aws[-_][\w-]+)", re.MULTILINE)
EMULATOR = re.compile(r"localstack|ministack", re.IGNORECASE)


def crates() -> list[Path]:
    """The crates of the library, of contracts and of services. The programs inside of a service are no services."""
    return sorted(
        path.parent for folder in ("ledgerfold", "events", "functions") for path in ROOT.glob(f"{folder}/*/Cargo.toml")
    )


def main() -> int:
    found = []
    for crate in crates():
        is_library = crate.parent.name == "ledgerfold"
        name = crate.relative_to(ROOT)
        if not (is_library and crate.name in ADAPTERS):
            sdk = SDK.findall((crate / "Cargo.toml").read_text())
            found += [f"{name}/Cargo.toml: {dependency} belongs in an adapter" for dependency in sdk]
        if is_library and crate.name in INDEPENDENT:
            own = OWN.findall((crate / "Cargo.toml").read_text())
            found += [f"{name}/Cargo.toml: {dependency} is code of the prover" for dependency in own]
        if not (is_library and crate.name in NOT_DEPLOYED):
            for file in sorted((crate / "src").rglob("*.rs")):
                for number, line in enumerate(file.read_text().splitlines(), 1):
                    found += [f"{file.relative_to(ROOT)}:{number}: names {word}" for word in EMULATOR.findall(line)]
    print("\n".join(found), file=sys.stderr, end="\n" if found else "")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
