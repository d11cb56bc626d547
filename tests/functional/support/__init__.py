# SPDX-License-Identifier: GPL-2.0
"""What the functional tests stand on."""
