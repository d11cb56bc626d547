// SPDX-License-Identifier: GPL-2.0
/* The module's work queues. */

#include <linux/workqueue.h>

#include "helpers.h"

struct workqueue_struct *ktcpvs_alloc_workqueue(const char *name, bool bh,
						bool highpri)
{
	unsigned int flags = WQ_PERCPU;

	if (bh)
		flags |= WQ_BH;
	if (highpri)
		flags |= WQ_HIGHPRI;
	return alloc_workqueue("%s", flags, 0, name);
}
