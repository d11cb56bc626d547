// SPDX-License-Identifier: GPL-2.0
/* Memory as a whole. */

#include <linux/mm.h>

#include "helpers.h"

/* The machine's memory in bytes. */
u64 ktcpvs_ram(void)
{
	return (u64)totalram_pages() << PAGE_SHIFT;
}
