# SPDX-License-Identifier: GPL-2.0
"""How much longer everything takes here than on the stock kernel."""

import os

DEBUG = os.environ.get("KTCPVS_KERNEL") == "debug"

PACE = int(os.environ.get("KTCPVS_PACE", 6 if DEBUG else 1))
