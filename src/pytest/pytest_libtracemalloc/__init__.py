# SPDX-License-Identifier: MIT
"""The pytest plugin of libtracemalloc: the memory of each test, and limits of it."""
