// SPDX-License-Identifier: GPL-2.0
/* TCP: what is unread, and sending from any context that has the lock. */

#include <linux/bvec.h>
#include <linux/sizes.h>
#include <linux/uio.h>
#include <net/proto_memory.h>
#include <net/psp.h>
#include <net/tcp.h>

#include "helpers.h"
#include "queue.h"
#include "room.h"

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

/*
 * Takes memory for @size more bytes whatever the limit of TCP as a whole, as
 * sk_forced_mem_schedule(), which is not exported.
 */
static void reserve(struct sock *sk, int size)
{
	int pages;

	if (size <= sk->sk_forward_alloc)
		return;
	pages = sk_mem_pages(size - sk->sk_forward_alloc);
	sk_forward_alloc_add(sk, pages << PAGE_SHIFT);
	sk_memory_allocated_add(sk, pages);
}

/*
 * Sees to it that @len more bytes can come before anything is consumed. What is
 * unread may pin many times its size: a received buffer counts as a whole until
 * its last byte is consumed, and TCP joins buffers. As tcp_set_rcvlowat(), which
 * does not count what is pinned.
 */
void ktcpvs_tcp_make_room(struct sock *sk, u32 len)
{
	struct tcp_sock *tp = tcp_sk(sk);
	int used = atomic_read(&sk->sk_rmem_alloc) + READ_ONCE(sk->sk_backlog.len);
	u32 mss = inet_csk(sk)->icsk_ack.rcv_mss;
	int free, most;
	bool enough;

	/* __tcp_select_window() offers nothing below either of these. */
	len = max(len, mss);
	free = max(tcp_space_from_win(sk, len), used / 8);
	enough = READ_ONCE(sk->sk_rcvbuf) - used >= free;
	/* However little a socket may have, a head has to fit. */
	most = max(READ_ONCE(sock_net(sk)->ipv4.sysctl_tcp_rmem[2]), SZ_128K);
	if (!enough && used + free > most)
		return;
	/*
	 * Else all that comes behind what is unread would be dropped. Only for
	 * the next packet: how much @len bytes may pin is for the sender to say.
	 */
	if (tcp_under_memory_pressure(sk))
		reserve(sk, min_t(int, free, 2 * SKB_TRUESIZE(max_t(u32, mss, PAGE_SIZE))));
	if (enough)
		return;
	WRITE_ONCE(sk->sk_rcvbuf, used + free);
	if (tp->window_clamp && tp->window_clamp < len)
		WRITE_ONCE(tp->window_clamp, len);
	/* The sender was told that there is no room. */
	__tcp_send_ack(sk, tp->rcv_nxt, 0);
}

static bool may_send(const struct sock *sk)
{
	return (1 << sk->sk_state) & (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT);
}

/*
 * Whether a send that found no room is to be tried again without being asked
 * to: memory was missing, and nothing is under way whose acknowledgment would
 * have us called. A process that sends waits for a moment then.
 */
bool ktcpvs_tcp_starved(const struct sock *sk)
{
	return sk_stream_memory_free(sk) && !tcp_sk(sk)->packets_out;
}

/*
 * Whether the other end has still to acknowledge something of what was sent, be
 * it a FIN, and up to where it has (@una).
 */
bool ktcpvs_tcp_outstanding(const struct sock *sk, u32 *una)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	*una = tp->snd_una;
	return tp->snd_una != tp->write_seq &&
	       !((1 << sk->sk_state) & (TCPF_CLOSE | TCPF_SYN_RECV));
}

/*
 * Whether the other end has acknowledged all that was sent, or never will. If
 * neither, sk_write_space() is called when more of it is acknowledged.
 */
bool ktcpvs_tcp_drained(struct sock *sk)
{
	u32 una;

	if (!ktcpvs_tcp_outstanding(sk, &una))
		return true;
	set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
	return false;
}

static void ignore(struct sock *sk)
{
}

/*
 * tcp_sendmsg_locked() calls sk_write_space() itself where it finds no memory and
 * nothing is queued: whoever tried again then would do so until there is some.
 * What is acknowledged is heard of as ever, but for what a process finds in the
 * backlog meanwhile; then either more is under way, or ktcpvs_tcp_starved() holds.
 */
static int send_quietly(struct sock *sk, struct msghdr *msg, size_t len)
{
	void (*write_space)(struct sock *sk) = sk->sk_write_space;
	int ret;

	WRITE_ONCE(sk->sk_write_space, ignore);
	ret = tcp_sendmsg_locked(sk, msg, len);
	WRITE_ONCE(sk->sk_write_space, write_space);
	return ret;
}

/* Sends a copy of @buf. Returns the bytes taken, or a negative errno. */
int ktcpvs_tcp_send(struct sock *sk, const void *buf, size_t len, bool more)
{
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	struct kvec kv = { .iov_base = (void *)buf, .iov_len = len };
	int ret;

	if (!may_send(sk))
		return -EPIPE;
	if (more)
		msg.msg_flags |= MSG_MORE;
	iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, &kv, 1, len);
	room_lend(sk);
	ret = send_quietly(sk, &msg, len);
	room_return(sk);
	return ret;
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
	return send_quietly(sk, &msg, len);
}

/*
 * Whether a buffer of our own making may be put into the send queue as
 * tcp_sendmsg_locked() would. Whatever needs more care is left to that: an
 * error to report, no room, no memory, a window that has to begin anew after a
 * rest, a device that cannot gather, and a short tail that a short message had
 * better join.
 */
static bool may_entail(const struct sock *sk, u32 len)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);

	if (!may_send(sk) || sk->sk_err || sk->sk_shutdown & SEND_SHUTDOWN ||
	    !(sk->sk_route_caps & NETIF_F_SG) || icsk->icsk_ulp_ops ||
	    !sk_stream_memory_free(sk))
		return false;
	if (len < tp->mss_cache && tcp_send_head(sk))
		return false;
	return tp->packets_out ||
	       (s32)(tcp_jiffies32 - tp->lsndtime) <= icsk->icsk_rto ||
	       !READ_ONCE(sock_net(sk)->ipv4.sysctl_tcp_slow_start_after_idle);
}

/*
 * How many bytes one buffer takes: as many as the device can send at once
 * (TCP's headers are off that already), but never less than a segment.
 */
static u32 buffer_max(const struct sock *sk)
{
	return max(sk->sk_gso_max_size, tcp_sk(sk)->mss_cache);
}

/*
 * Adds at most @max bytes of @from, from @off of its fragments on. Where these
 * go on in the page in which those of @skb end, they are one fragment there.
 */
static void add_frags(struct sk_buff *skb, const struct sk_buff *from,
		      u32 off, u32 max)
{
	const struct skb_shared_info *source = skb_shinfo(from);
	struct skb_shared_info *info = skb_shinfo(skb);
	const skb_frag_t *frag = source->frags;
	const skb_frag_t *end = frag + source->nr_frags;
	skb_frag_t *to = info->frags + info->nr_frags;
	u32 left = max;

	for (; frag < end && left; frag++) {
		u32 len = skb_frag_size(frag);

		if (off >= len) {
			off -= len;
			continue;
		}
		len = min(len - off, left);
		if (to > info->frags &&
		    skb_can_coalesce(skb, to - info->frags, skb_frag_page(frag),
				     skb_frag_off(frag) + off)) {
			skb_frag_size_add(to - 1, len);
		} else if (to < info->frags + MAX_SKB_FRAGS) {
			*to = *frag;
			skb_frag_off_add(to, off);
			skb_frag_size_set(to, len);
			get_page(skb_frag_page(to));
			to++;
		} else {
			break;
		}
		left -= len;
		off = 0;
	}
	info->nr_frags = to - info->frags;
	skb_len_add(skb, max - left);
}

/* A new buffer for the send queue, empty. NULL without memory. */
static struct sk_buff *new_buffer(gfp_t gfp)
{
	struct sk_buff *skb;

	skb = alloc_skb_fclone(MAX_TCP_HEADER, gfp | __GFP_NOWARN);
	if (!skb)
		return NULL;
	skb_reserve(skb, MAX_TCP_HEADER);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->truesize = SKB_TRUESIZE(skb_end_offset(skb));
	skb_shinfo(skb)->flags |= SKBFL_SHARED_FRAG;
	return skb;
}

/* A message so short is quicker copied by us than read in pieces by who gets it. */
#define SHORT_MESSAGE	1024

/*
 * A buffer of at most @max unread bytes of @from from number @skip on: as many
 * as follow each other that may be referred to, and fit. NULL if the first may
 * not be, or without memory.
 */
static struct sk_buff *refer(struct sock *from, u32 skip, u32 max)
{
	struct sk_buff *skb, *src;
	u32 off;

	src = queue_find(from, NULL, skip, &off);
	if (!src || !queue_may_refer(src, off))
		return NULL;
	skb = new_buffer(GFP_ATOMIC);
	if (!skb)
		return NULL;

	do {
		u32 rest = min(src->len - off, max - skb->len);
		u32 before = skb->len;

		add_frags(skb, src, off - skb_headlen(src), rest);
		if (skb->len == max || skb->len - before < rest)
			break;
		src = queue_find(from, src, skip + skb->len, &off);
	} while (src && queue_may_refer(src, off));
	return skb;
}

/*
 * tcp_skb_entail() with the bytes in place. False without memory: then the
 * buffer is the caller's to free, for which the list that TCP sorts it by, which
 * lies where a buffer's destructor does, must not have been touched.
 */
static bool entail(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_skb_cb *tcb = TCP_SKB_CB(skb);

	if (!sk_wmem_schedule(sk, skb->truesize))
		return false;
	/* What rates are measured by. Only BBR and its like ask for them. */
	if (inet_csk(sk)->icsk_ca_ops->cong_control)
		tcp_rate_check_app_limited(sk);
	INIT_LIST_HEAD(&skb->tcp_tsorted_anchor);
	tcb->seq = tp->write_seq;
	tcb->end_seq = tp->write_seq + skb->len;
	tcb->tcp_flags = TCPHDR_ACK | TCPHDR_PSH;
	__skb_header_release(skb);
	psp_enqueue_set_decrypted(sk, skb);
	tcp_add_write_queue_tail(sk, skb);
	sk_wmem_queued_add(sk, skb->truesize);
	sk_mem_charge(sk, skb->truesize);
	WRITE_ONCE(tp->write_seq, tcb->end_seq);
	tp->pushed_seq = tcb->end_seq;
	return true;
}

/*
 * Sends what is in the queue. What does that is not exported, but is done for
 * TCP small queues by the callback that belongs to the end of a process's
 * ownership, if it finds that a transmission was put off. That expects
 * softirqs to be off.
 */
static void push(struct sock *sk)
{
	bool process = !in_softirq();

	if (process)
		local_bh_disable();
	if (!test_and_set_bit(TCP_TSQ_DEFERRED, &sk->sk_tsq_flags))
		sock_hold(sk);
	sk->sk_prot->release_cb(sk);
	if (process)
		local_bh_enable();
	if (tcp_send_head(sk))
		tcp_check_probe_timer(sk);
}

/*
 * Sends @len unread bytes of @from, from number @skip on, by reference. Does
 * what tcp_sendmsg_locked() does with MSG_SPLICE_PAGES, for half of the cost.
 * Returns the bytes taken: fewer than @len, or none, where that must be asked
 * for the rest.
 */
u32 ktcpvs_tcp_relay(struct sock *sk, struct sock *from, u32 skip, u32 len)
{
	u32 most = buffer_max(sk);
	u32 done = 0;

	if (!len || !may_entail(sk, len))
		return 0;
	/* Whole segments, as long as others follow. */
	if (len > most)
		most = rounddown(most, tcp_sk(sk)->mss_cache);
	do {
		struct sk_buff *skb = refer(from, skip + done,
					    min(len - done, most));

		if (!skb)
			break;
		if (!entail(sk, skb)) {
			__kfree_skb(skb);
			break;
		}
		done += skb->len;
	} while (done < len && sk_stream_memory_free(sk));
	if (done)
		push(sk);
	return done;
}

/* Adds @len unread bytes of @from from number @skip on. False if they cannot be. */
static bool add_bytes(struct sk_buff *skb, struct sock *from, u32 skip, u32 len)
{
	u32 end = skb->len + len;
	struct sk_buff *src = NULL;
	u32 off;

	while (skb->len < end) {
		u32 before = skb->len;

		src = queue_find(from, src, skip, &off);
		if (!src || !queue_may_refer(src, off))
			return false;
		add_frags(skb, src, off - skb_headlen(src), end - before);
		/* No more fragments fit. */
		if (skb->len - before < min(src->len - off, end - before))
			return false;
		skip += skb->len - before;
	}
	return true;
}

/*
 * Room for @len bytes at the end of @skb, less than a page. NULL without memory,
 * or without a fragment for it.
 */
static void *add_room(struct sk_buff *skb, u32 len)
{
	int n = skb_shinfo(skb)->nr_frags;
	struct page_frag room;

	if (n == MAX_SKB_FRAGS || !room_take(len, &room))
		return NULL;
	skb_fill_page_desc(skb, n, room.page, room.offset, len);
	skb_len_add(skb, len);
	return page_address(room.page) + room.offset;
}

/* The first @len unread bytes of @from with @extra before number @at. */
static bool fill_with(struct sk_buff *skb, struct sock *from, u32 at, u32 len,
		      const void *extra, u32 extra_len)
{
	u8 *room;

	if (len + extra_len <= SHORT_MESSAGE) {
		room = add_room(skb, len + extra_len);
		if (!room || !queue_copy(from, room, 0, len))
			return false;
		memmove(room + at + extra_len, room + at, len - at);
		memcpy(room + at, extra, extra_len);
		return true;
	}
	if (!add_bytes(skb, from, 0, at))
		return false;
	room = add_room(skb, extra_len);
	if (!room)
		return false;
	memcpy(room, extra, extra_len);
	return add_bytes(skb, from, at, len - at);
}

/*
 * Sends the first @len unread bytes of @from, with a copy of @extra before
 * number @at: all of it, or nothing where it cannot be sent so. Long ones go by
 * reference.
 */
bool ktcpvs_tcp_relay_with(struct sock *sk, struct sock *from, u32 at, u32 len,
			   const void *extra, u32 extra_len)
{
	struct sk_buff *skb;

	if (extra_len > SHORT_MESSAGE || len + extra_len > buffer_max(sk) ||
	    !may_entail(sk, len))
		return false;
	skb = new_buffer(GFP_ATOMIC);
	if (!skb)
		return false;
	if (!fill_with(skb, from, at, len, extra, extra_len) ||
	    !entail(sk, skb)) {
		__kfree_skb(skb);
		return false;
	}
	push(sk);
	return true;
}

/*
 * Sends FIN after what is queued, once. Any context that has the socket's lock.
 * False without memory, for which only who may sleep waits, and then nothing has
 * changed; TCP by itself would go on as if the FIN had been sent, and nobody
 * would ever hear of the end. A buffer in the send queue takes the FIN along, so
 * there has to be one.
 */
bool ktcpvs_tcp_shutdown_send(struct sock *sk, bool may_sleep)
{
	if (sk->sk_shutdown & SEND_SHUTDOWN || !may_send(sk))
		return true;
	if (!tcp_write_queue_tail(sk)) {
		struct sk_buff *skb;

		skb = new_buffer(may_sleep ? GFP_KERNEL | __GFP_NOFAIL :
					     GFP_ATOMIC);
		if (!skb)
			return false;
		/* Over its limit TCP makes an exception for its own FIN. */
		if (!entail(sk, skb))
			__kfree_skb(skb);
	}
	WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | SEND_SHUTDOWN);
	sk->sk_prot->shutdown(sk, SEND_SHUTDOWN);
	return true;
}
