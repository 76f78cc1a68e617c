#!/usr/bin/python3
"""The same searches by FAISS's IndexFlatIP (Debian: python3-faiss), over what tests/bench/search left in the current folder; and whether both
find the same. Prints lines of JSON.

SPDX-License-Identifier: BSD-3-Clause
"""
import json
import statistics
import time

import faiss
import numpy

rows = numpy.load("index/images.npy", mmap_mode="r")
queries = numpy.load("queries.npy")
index = faiss.IndexFlatIP(rows.shape[1])
for first in range(0, len(rows), 1 << 16):
    index.add(numpy.ascontiguousarray(rows[first:first + (1 << 16)]))
for n in (1, len(queries)):
    times = []
    for _ in range(5):
        begin = time.monotonic()
        scores, found = index.search(queries[:n], 10)
        times.append(time.monotonic() - begin)
    print(json.dumps({"what": "IndexFlatIP", "queries": n, "median_seconds": round(statistics.median(times), 4),
                      "least_seconds": round(min(times), 4), "threads": faiss.omp_get_max_threads(), "first": found[0].tolist()}))
