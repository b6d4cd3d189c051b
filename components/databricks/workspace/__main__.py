"""``python -m <package>.databricks.workspace``: bundle and access."""

import sys

from .command import main

sys.exit(main())
