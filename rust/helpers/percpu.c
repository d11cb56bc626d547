// SPDX-License-Identifier: GPL-2.0
/* Per-CPU counters. */

#include <linux/percpu.h>
#include <linux/smp.h>

#include "helpers.h"

static u64 __percpu *to_percpu(void *counters)
{
	return (__force u64 __percpu *)(unsigned long)counters;
}

/* @nr counters of 64 bits, all 0. The pointer is opaque to Rust. */
void *ktcpvs_counters_alloc(unsigned int nr)
{
	return (void *)(__force unsigned long)
		__alloc_percpu_gfp(nr * sizeof(u64), sizeof(u64),
				   GFP_KERNEL_ACCOUNT);
}

void ktcpvs_counters_free(void *counters)
{
	free_percpu(to_percpu(counters));
}

void ktcpvs_counters_add(void *counters, unsigned int i, u64 n)
{
	u64 __percpu *p = to_percpu(counters);

	this_cpu_add(p[i], n);
}

/* Adds to three counters that follow each other. */
void ktcpvs_counters_add3(void *counters, unsigned int i, u64 a, u64 b, u64 c)
{
	u64 __percpu *p = to_percpu(counters);

	this_cpu_add(p[i], a);
	this_cpu_add(p[i + 1], b);
	this_cpu_add(p[i + 2], c);
}

/* Some CPU, which is this one unless the caller can be moved. */
unsigned int ktcpvs_some_cpu(void)
{
	return raw_smp_processor_id();
}

u64 ktcpvs_counters_sum(void *counters, unsigned int i)
{
	u64 __percpu *p = to_percpu(counters);
	u64 sum = 0;
	int cpu;

	BUILD_BUG_ON(!IS_ENABLED(CONFIG_64BIT));
	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(&p[i], cpu));
	return sum;
}
