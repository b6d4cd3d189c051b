"""``python -m <package>.governance``: the command ``policy``."""

import sys

from .command import main

sys.exit(main())
