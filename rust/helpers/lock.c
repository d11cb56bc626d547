// SPDX-License-Identifier: GPL-2.0
/* Spinlocks with softirqs off, and staying on a CPU. */

#include <linux/smp.h>
#include <linux/spinlock.h>

#include "helpers.h"

void ktcpvs_spin_lock_bh(spinlock_t *lock)
{
	spin_lock_bh(lock);
}

bool ktcpvs_spin_trylock_bh(spinlock_t *lock)
{
	return spin_trylock_bh(lock);
}

void ktcpvs_spin_unlock_bh(spinlock_t *lock)
{
	spin_unlock_bh(lock);
}

void ktcpvs_spin_assert_held(spinlock_t *lock)
{
	lockdep_assert_held(lock);
}

/* Softirqs off: the number of this CPU, which stays so until _end(). */
unsigned int ktcpvs_this_cpu_begin(void)
{
	local_bh_disable();
	return smp_processor_id();
}

void ktcpvs_this_cpu_end(void)
{
	local_bh_enable();
}
