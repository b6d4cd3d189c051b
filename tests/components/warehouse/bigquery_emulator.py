"""Starts bqemulator with DuckDB's spatial extension from its PyPI package, so that nothing else is downloaded.

Run by the emulator's own environment, with HOME set to a folder that DuckDB may put the extension in.
"""

import sys
from importlib.resources import files

import duckdb
from bqemulator.cli import main

[extension] = (files("duckdb_extension_spatial") / "extensions").glob("*/spatial.duckdb_extension")
duckdb.connect().execute(f"INSTALL '{extension}'")
sys.argv = ["bqemulator", "start", "--rest-port", sys.argv[1], "--grpc-port", "0", "--log-level", "error"]
main()
