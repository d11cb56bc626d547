/* SPDX-License-Identifier: GPL-2.0 */
/* As much of the kernel's TCP as rust/helpers/queue.h needs. */
#ifndef KTCPVS_TEST_TCP_H
#define KTCPVS_TEST_TCP_H

#include <linux/skbuff.h>

struct sock {
	u32 copied_seq;
	struct sk_buff_head sk_receive_queue;
};

#define tcp_sk(sk) (sk)
#define TCP_SKB_CB(skb) (skb)

#endif /* KTCPVS_TEST_TCP_H */
