#!/usr/bin/env python3
"""The local cloud of this repository, without an installation. `ledgerfold_local/bootstrap.py` explains the commands.

python3 localstack/bootstrap.py COMMAND ...
"""

import sys
from pathlib import Path

from ledgerfold_local.bootstrap import main

HERE = Path(__file__).resolve().parent

if __name__ == "__main__":
    sys.exit(main(project=HERE.parent, tests=HERE / "tests"))
