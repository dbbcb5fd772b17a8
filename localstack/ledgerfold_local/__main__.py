import sys

from ledgerfold_local.cli import main

sys.exit(main())
