/* SPDX-License-Identifier: GPL-2.0 */
/* As much of the kernel's buffers as rust/helpers/queue.h needs, with numbers of any size. */
#ifndef KTCPVS_TEST_SKBUFF_H
#define KTCPVS_TEST_SKBUFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
/* Of 8 bits, all numbers can be tried. */
typedef NUMBER u32;

struct sk_buff {
	u32 seq, len, data_len, truesize;
};

struct sk_buff_head {
	struct sk_buff *list;
	size_t count;
};

static inline struct sk_buff *skb_peek(struct sk_buff_head *queue)
{
	return queue->count ? queue->list : NULL;
}

static inline struct sk_buff *skb_peek_next(struct sk_buff *skb, struct sk_buff_head *queue)
{
	return skb + 1 < queue->list + queue->count ? skb + 1 : NULL;
}

/* For what is not tried. */
#define SKB_TRUESIZE(size) ((int)(size))
#define skb_end_offset(skb) ((void)(skb), 0)
#define skb_headlen(skb) ((skb)->len - (skb)->data_len)
#define skb_has_frag_list(skb) ((void)(skb), false)
#define skb_frags_readable(skb) ((void)(skb), true)

#endif /* KTCPVS_TEST_SKBUFF_H */
