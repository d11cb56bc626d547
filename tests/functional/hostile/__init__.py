# SPDX-License-Identifier: GPL-2.0
"""What hostile clients and servers say, as tables, and what must come of it.

The tables are data only. What they expect is what RFC 9110 and RFC 9112 ask for; where these leave
a choice, what strict gateways do. `stage` plays them.
"""
