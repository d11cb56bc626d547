// SPDX-License-Identifier: GPL-2.0
/* Sockets: locks, callbacks and the fields that the Rust side needs by value. */

#include <linux/in6.h>
#include <linux/interrupt.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "helpers.h"

bool ktcpvs_in_softirq(void)
{
	return in_softirq();
}

/* In softirq, and where no process owns the socket. */
bool ktcpvs_bh_trylock_sock(struct sock *sk)
{
	if (!in_softirq() || !spin_trylock(&sk->sk_lock.slock))
		return false;
	if (likely(!sock_owned_by_user_nocheck(sk)))
		return true;
	spin_unlock(&sk->sk_lock.slock);
	return false;
}

void ktcpvs_bh_lock_sock(struct sock *sk)
{
	bh_lock_sock(sk);
}

void ktcpvs_bh_lock_sock_nested(struct sock *sk)
{
	bh_lock_sock_nested(sk);
}

void ktcpvs_bh_unlock_sock(struct sock *sk)
{
	bh_unlock_sock(sk);
}

void ktcpvs_sock_hold(struct sock *sk)
{
	sock_hold(sk);
}

void ktcpvs_sock_put(struct sock *sk)
{
	sock_put(sk);
}

static void set_calls(struct sock *sk, const struct ktcpvs_sock_calls *calls)
{
	WRITE_ONCE(sk->sk_data_ready, calls->data_ready);
	WRITE_ONCE(sk->sk_write_space, calls->write_space);
	WRITE_ONCE(sk->sk_state_change, calls->state_change);
}

/*
 * Puts callbacks and their user data into a socket and returns the callbacks it
 * had; those that are NULL stay. -EBUSY where the socket has user data already: a
 * BPF program has put it into a sockmap, and whoever takes that over unseen makes
 * closing the socket go on for ever. Afterwards such a program is refused. The
 * user data of a listener is not for its children, hence the flag.
 */
int ktcpvs_sock_hook(struct sock *sk, void *user_data,
		     struct ktcpvs_sock_calls *calls)
{
	struct ktcpvs_sock_calls old;
	int err = -EBUSY;

	write_lock_bh(&sk->sk_callback_lock);
	old.data_ready = sk->sk_data_ready;
	old.write_space = sk->sk_write_space;
	old.state_change = sk->sk_state_change;
	if (!sk->sk_user_data) {
		__rcu_assign_sk_user_data_with_flags(sk, user_data,
						     SK_USER_DATA_NOCOPY);
		calls->data_ready = calls->data_ready ?: old.data_ready;
		calls->write_space = calls->write_space ?: old.write_space;
		calls->state_change = calls->state_change ?: old.state_change;
		set_calls(sk, calls);
		err = 0;
	}
	write_unlock_bh(&sk->sk_callback_lock);
	*calls = old;
	return err;
}

/* Puts back what ktcpvs_sock_hook() has returned. */
void ktcpvs_sock_unhook(struct sock *sk, const struct ktcpvs_sock_calls *calls)
{
	write_lock_bh(&sk->sk_callback_lock);
	rcu_assign_sk_user_data(sk, NULL);
	set_calls(sk, calls);
	write_unlock_bh(&sk->sk_callback_lock);
}

/*
 * Gives a child of @listener, which has inherited its sk_data_ready, the one that
 * was there before, unless somebody has put another one in since.
 */
void ktcpvs_sock_disinherit(struct sock *child, const struct sock *listener,
			    const struct ktcpvs_sock_calls *calls)
{
	write_lock_bh(&child->sk_callback_lock);
	if (child->sk_data_ready == READ_ONCE(listener->sk_data_ready))
		WRITE_ONCE(child->sk_data_ready, calls->data_ready);
	write_unlock_bh(&child->sk_callback_lock);
}

struct sock *ktcpvs_socket_sk(const struct socket *sock)
{
	return sock->sk;
}

/* Under RCU, or under the socket's lock where all that changes it holds that. */
void *ktcpvs_sock_user_data(const struct sock *sk)
{
	void *tagged = rcu_dereference_check(__sk_user_data(sk),
					     lockdep_sock_is_held(sk));

	return (void *)((uintptr_t)tagged & SK_USER_DATA_PTRMASK);
}

/*
 * Prepares an accepted or connected socket for sending from softirq: no
 * task_frag (it belongs to whatever process softirq interrupted), no sleeping
 * allocation, no Nagle, urgent bytes kept in line so that nothing is skipped.
 */
void ktcpvs_sock_prepare(struct sock *sk)
{
	sk->sk_allocation = GFP_ATOMIC;
	sk->sk_use_task_frag = false;
	sock_set_flag(sk, SOCK_URGINLINE);
	tcp_sk(sk)->nonagle |= TCP_NAGLE_OFF;
}

int ktcpvs_sock_err(const struct sock *sk)
{
	return READ_ONCE(sk->sk_err);
}

/* True once after a send found no room: the caller's cue to send again. */
bool ktcpvs_sock_take_nospace(struct sock *sk)
{
	struct socket *sock = READ_ONCE(sk->sk_socket);

	if (!sock || !sk_stream_is_writeable(sk))
		return false;
	return test_and_clear_bit(SOCK_NOSPACE, &sock->flags);
}

/*
 * Releases a socket. tcp_close() stops the timers of a socket that does not keep
 * its namespace alive: what is not acknowledged then, the FIN with it, is never
 * sent again. So an orderly close makes it a socket like a process's first. In
 * a namespace that is going away there is only a reset.
 */
void ktcpvs_socket_release(struct socket *sock)
{
	struct sock *sk = sock->sk;
	struct net *net = NULL;

	if (sk->sk_state != TCP_LISTEN && !sock_flag(sk, SOCK_LINGER)) {
		net = maybe_get_net(sock_net(sk));
		if (net) {
			lock_sock(sk);
			if (!sk->sk_net_refcnt)
				sk_net_refcnt_upgrade(sk);
			/* What is unread makes TCP send a reset. */
			if (!tcp_inq(sk))
				ktcpvs_tcp_shutdown_send(sk, true);
			release_sock(sk);
		} else {
			sock_no_linger(sk);
		}
	}
	sock_release(sock);
	if (net)
		put_net(net);
}

/* The peer's address as an IPv6 address, IPv4 mapped. */
void ktcpvs_sock_peer(const struct sock *sk, u8 addr[16], u16 *port)
{
	struct in6_addr a;

	if (sk->sk_family == AF_INET6)
		a = sk->sk_v6_daddr;
	else
		ipv6_addr_set_v4mapped(sk->sk_daddr, &a);
	memcpy(addr, &a, sizeof(a));
	*port = ntohs(sk->sk_dport);
}

/*
 * SO_REUSEADDR, or with @force as in the repair of sockets: the address may be
 * listened on. TCP looks at that when it binds and when it begins to listen, and
 * at that of who is there already.
 */
void ktcpvs_sock_set_reuse(struct sock *sk, bool force)
{
	sk->sk_reuse = force ? SK_FORCE_REUSE : SK_CAN_REUSE;
}

/* Before bind only. */
void ktcpvs_sock_set_v6only(struct sock *sk)
{
	sk->sk_ipv6only = true;
}

/* What a socket takes by itself, with its inode, in bytes. */
u32 ktcpvs_sock_size(const struct sock *sk)
{
	return sk->sk_prot->obj_size + sizeof(struct socket_alloc);
}

/*
 * What is buffered in a socket either way, or set aside for that, in bytes of
 * memory. Without its lock, so that the parts need not be of one moment.
 */
u32 ktcpvs_sock_buffered(const struct sock *sk)
{
	return atomic_read(&sk->sk_rmem_alloc) + READ_ONCE(sk->sk_backlog.len) +
	       READ_ONCE(sk->sk_wmem_queued) +
	       max(READ_ONCE(sk->sk_forward_alloc), 0);
}
