# SPDX-License-Identifier: GPL-2.0
"""How much longer everything takes here than on the stock kernel."""

import os

PACE = 6 if os.environ.get("KTCPVS_KERNEL") == "debug" else 1
