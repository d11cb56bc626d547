/* SPDX-License-Identifier: GPL-2.0 */
/* Room for what is copied into send queues. */
#ifndef KTCPVS_ROOM_H
#define KTCPVS_ROOM_H

#include <linux/mm_types_task.h>
#include <net/sock.h>

bool room_take(u32 len, struct page_frag *room);
void room_lend(struct sock *sk);
void room_return(struct sock *sk);

#endif /* KTCPVS_ROOM_H */
