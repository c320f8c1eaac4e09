# SPDX-License-Identifier: MIT
"""Runs queries on Spark in its local mode, with the interpreter of scripts/spark.

Standard input: {"views": [SQL...], "queries": {NAME: SQL}}. The last line of standard
output: {NAME: [ROW...]}.
"""

import json
import sys

from pyspark.sql import SparkSession

work = json.load(sys.stdin)
session = (
    SparkSession.builder.master("local[1]")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.shuffle.partitions", "1")
    .config("spark.sql.session.timeZone", "UTC")
    .getOrCreate()
)
for view in work["views"]:
    session.sql(view)
found = {}
for name, query in work["queries"].items():
    rows = session.sql(query.strip().rstrip(";")).collect()
    found[name] = [row.asDict(recursive=True) for row in rows]
session.stop()
print(json.dumps(found, default=str))
