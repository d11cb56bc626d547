// SPDX-License-Identifier: GPL-2.0
/* TCP: what is unread, and sending from any context that has the lock. */

#include <linux/bvec.h>
#include <linux/uio.h>
#include <net/tcp.h>

#include "helpers.h"

/* Bytes received in order and not yet consumed, a FIN not counted. */
u32 ktcpvs_tcp_unread(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 unread = tp->rcv_nxt - tp->copied_seq;

	/* The most common answer, and nearly always the last question. */
	if (!unread)
		return 0;
	if ((1 << sk->sk_state) & (TCPF_SYN_SENT | TCPF_SYN_RECV))
		return 0;
	if (sock_flag(sk, SOCK_DONE))
		unread--;
	return unread;
}

/*
 * Says that data will go back soon, so that the acknowledgment of what is
 * about to be consumed rides on it. The delayed-ACK timer bounds the wait.
 */
void ktcpvs_tcp_expect_reply(struct sock *sk)
{
	inet_csk(sk)->icsk_ack.pending &= ~ICSK_ACK_PUSHED2;
	if (!inet_csk_in_pingpong_mode(sk))
		inet_csk_enter_pingpong_mode(sk);
}

static bool may_send(const struct sock *sk)
{
	return (1 << sk->sk_state) & (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT);
}

/* Sends a copy of @buf. Returns the bytes taken, or a negative errno. */
int ktcpvs_tcp_send(struct sock *sk, const void *buf, size_t len, bool more)
{
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	struct kvec kv = { .iov_base = (void *)buf, .iov_len = len };

	if (!may_send(sk))
		return -EPIPE;
	if (more)
		msg.msg_flags |= MSG_MORE;
	iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, &kv, 1, len);
	return tcp_sendmsg_locked(sk, &msg, len);
}

/* Sends pages by reference. Returns the bytes taken, or a negative errno. */
int ktcpvs_tcp_splice(struct sock *sk, const struct bio_vec *bv,
		      unsigned int nr, size_t len, bool more)
{
	struct msghdr msg = {
		.msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL | MSG_SPLICE_PAGES,
	};

	if (!may_send(sk))
		return -EPIPE;
	if (more)
		msg.msg_flags |= MSG_MORE;
	iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, bv, nr, len);
	return tcp_sendmsg_locked(sk, &msg, len);
}
