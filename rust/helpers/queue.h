/* SPDX-License-Identifier: GPL-2.0 */
/* Finding bytes in what a socket has received. */
#ifndef KTCPVS_QUEUE_H
#define KTCPVS_QUEUE_H

#include <linux/skbuff.h>
#include <net/tcp.h>

/*
 * The buffer that holds the unread byte number @skip, and that byte's offset
 * in it; the search begins behind @after, or at the head of the queue. NULL if
 * the byte has not come. Buffers may overlap (tcp_data_queue() keeps the whole
 * of a partly old segment), so the sequence number decides, not the order.
 */
static inline struct sk_buff *queue_find(struct sock *sk, struct sk_buff *after,
					 u32 skip, u32 *offset)
{
	u32 seq = tcp_sk(sk)->copied_seq + skip;
	struct sk_buff *skb;

	skb = after ? skb_peek_next(after, &sk->sk_receive_queue) :
		      skb_peek(&sk->sk_receive_queue);
	for (; skb; skb = skb_peek_next(skb, &sk->sk_receive_queue)) {
		u32 off = seq - TCP_SKB_CB(skb)->seq;

		if (off < skb->len) {
			*offset = off;
			return skb;
		}
	}
	return NULL;
}

bool queue_copy(struct sock *sk, u8 *to, u32 skip, u32 len);

/*
 * Whether the bytes from @off of @skb on may be sent by reference: they are in
 * page fragments, which are not much larger than their bytes. A send queue counts
 * bytes and no pages, and a card may put the shortest packet into a page of its
 * own: referred to, a few bytes would keep whole pages that nobody counts.
 */
static inline bool queue_may_refer(const struct sk_buff *skb, u32 off)
{
	int pinned = skb->truesize - SKB_TRUESIZE(skb_end_offset(skb));

	return off >= skb_headlen(skb) && !skb_has_frag_list(skb) &&
	       skb_frags_readable(skb) && pinned <= 4 * (int)skb->data_len;
}

#endif /* KTCPVS_QUEUE_H */
