# SPDX-License-Identifier: GPL-2.0
"""What fuzzers go by: a seed, and a time."""

import os

from support.pace import DEBUG

# To see the same again. Threads and processes go on as they like, so it need not come at once.
SEED = int(os.environ.get("KTCPVS_SEED") or 1)

# How long each test of a fuzzer goes on, in seconds.
FUZZ_TIME = float(os.environ.get("KTCPVS_FUZZ_TIME") or (30 if DEBUG else 15))
