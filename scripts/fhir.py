"""Checks a bundle of FHIR R4 with the classes of fhirclient, and prints the types of its resources."""

import json
import sys

from fhirclient.models.bundle import Bundle
from fhirclient.models.fhirabstractbase import FHIRValidationError


def main() -> int:
    with open(sys.argv[1], encoding="utf-8") as file:
        document = json.load(file)
    try:
        # Refuses missing, unknown and mistyped members.
        bundle = Bundle(document, strict=True)
    except FHIRValidationError as error:
        print(error)
        return 1
    for entry in bundle.entry or []:
        print(entry.resource.resource_type)
    return 0


if __name__ == "__main__":
    sys.exit(main())
