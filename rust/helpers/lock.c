// SPDX-License-Identifier: GPL-2.0
/* Spinlocks with softirqs off, and staying on a CPU. */

#include <linux/lockdep.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <net/sock.h>

#include "helpers.h"

#ifdef CONFIG_LOCKDEP
/*
 * All our spinlocks are this one besides, of which nobody can hold two. So
 * lockdep complains of one that is taken inside another one, and of whatever is
 * taken inside any of them that any of them was ever taken inside.
 */
static struct lockdep_map innermost =
	STATIC_LOCKDEP_MAP_INIT("ktcpvs_innermost", &innermost);
#endif

/*
 * In softirq, where most of this is used, they are off already. Returns whether
 * they had to be turned off, which the unlock must be told. Of two locks the
 * inner one must be given back first, else it is held with softirqs on.
 */
bool ktcpvs_spin_lock_bh(spinlock_t *lock)
{
	bool bh = !in_softirq();

	if (bh)
		spin_lock_bh(lock);
	else
		spin_lock(lock);
	lock_map_acquire(&innermost);
	return bh;
}

bool ktcpvs_spin_trylock_bh(spinlock_t *lock)
{
	bool taken = spin_trylock_bh(lock);

	if (taken)
		lock_map_acquire(&innermost);
	return taken;
}

void ktcpvs_spin_unlock_bh(spinlock_t *lock, bool bh)
{
	lock_map_release(&innermost);
	if (bh)
		spin_unlock_bh(lock);
	else
		spin_unlock(lock);
}

void ktcpvs_spin_assert_held(spinlock_t *lock)
{
	lockdep_assert_held(lock);
}

/* By this CPU in softirq, or by this process. */
void ktcpvs_sock_assert_held(struct sock *sk)
{
	sock_owned_by_me(sk);
}

/*
 * Sockets to servers get lock classes of their own, whoever takes their locks,
 * so that lockdep sees them taken inside clients' locks and never outside. No
 * key of the module's: a socket may outlive the module while its FIN is under
 * way. To be called before anybody else knows the socket.
 */
void ktcpvs_sock_lock_inner(struct sock *sk)
{
	lockdep_set_subclass(&sk->sk_lock.slock, SINGLE_DEPTH_NESTING);
	lockdep_set_subclass(&sk->sk_lock, SINGLE_DEPTH_NESTING);
}

/*
 * Softirqs off: the number of this CPU, which stays so until _end(), to be
 * called if @bh says so.
 */
unsigned int ktcpvs_this_cpu_begin(bool *bh)
{
	*bh = !in_softirq();
	if (*bh)
		local_bh_disable();
	return smp_processor_id();
}

void ktcpvs_this_cpu_end(void)
{
	local_bh_enable();
}
