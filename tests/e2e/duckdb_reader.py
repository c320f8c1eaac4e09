# SPDX-License-Identifier: MIT
"""Queries on Parquet files, with DuckDB's C library."""

import ctypes
import json
import os
import subprocess
import tempfile

from conftest import ROOT

TABLES = ("samples", "stacks", "processes")


def library_path():
    """Of the library; None if scripts/duckdb has not fetched it."""
    script = [os.path.join(ROOT, "scripts", "duckdb"), "--path"]
    result = subprocess.run(script, stdout=subprocess.PIPE, universal_newlines=True)
    return result.stdout.strip() if result.returncode == 0 else None


class Result(ctypes.Structure):
    """duckdb_result."""

    _fields_ = [("numbers", ctypes.c_uint64 * 3), ("pointers", ctypes.c_void_p * 3)]


class Lake:
    """A directory of `export --format parquet`, as views of its tables; without one,
    an empty database. To be closed."""

    def __init__(self, library, directory=None):
        self.library = ctypes.CDLL(library)
        self.library.duckdb_result_error.restype = ctypes.c_char_p
        self.database, self.connection = ctypes.c_void_p(), ctypes.c_void_p()
        assert self.library.duckdb_open(None, ctypes.byref(self.database)) == 0
        pointer = ctypes.byref(self.connection)
        assert self.library.duckdb_connect(self.database, pointer) == 0
        self.directory = str(directory)
        for table in TABLES if directory else ():
            self.run(
                "CREATE VIEW %s AS FROM read_parquet('%s/%s/*/*/*.parquet', "
                "hive_partitioning = true, hive_types = {'day': date, "
                "'service': varchar})" % (table, self.directory, table)
            )

    def run(self, query):
        result = Result()
        pointer = ctypes.byref(result)
        failed = self.library.duckdb_query(self.connection, query.encode(), pointer)
        error = self.library.duckdb_result_error(pointer) if failed else None
        self.library.duckdb_destroy_result(pointer)
        assert not failed, "%s\n%s" % (error.decode(), query)

    def rows(self, query):
        """A list of dictionaries."""
        with tempfile.TemporaryDirectory() as directory:
            out = os.path.join(directory, "rows.json")
            plain = query.strip().rstrip(";")
            self.run("COPY (%s) TO '%s' (FORMAT json, ARRAY true)" % (plain, out))
            with open(out, encoding="utf-8") as file:
                return json.load(file)

    def value(self, query):
        ((value,),) = [row.values() for row in self.rows(query)]
        return value

    def close(self):
        self.library.duckdb_disconnect(ctypes.byref(self.connection))
        self.library.duckdb_close(ctypes.byref(self.database))
