# /// script
# requires-python = ">=3.11"
# dependencies = ["pyyaml>=6"]
# ///
"""FileExportComponent: `file` is `output`, as it is called in dashboards; a `file` is what a component reads."""

import sys

from defs_yaml import main, rename_attribute

STEPS = [rename_attribute("FileExportComponent", "file", "output")]

if __name__ == "__main__":
    sys.exit(main(*STEPS))
