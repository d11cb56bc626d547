// SPDX-License-Identifier: GPL-2.0
/*
 * Room for what is copied into send queues. A CPU has some for all of its
 * sockets: one of each socket's own would keep 32 KiB for as long as it lives.
 */

#include <linux/percpu.h>
#include <linux/skbuff.h>

#include "helpers.h"
#include "room.h"

static DEFINE_PER_CPU(struct page_frag, spare);

/* Softirqs are off between these two, on a CPU that stays the same. */
static struct page_frag *spare_begin(bool *process)
{
	*process = !in_softirq();
	if (*process)
		local_bh_disable();
	return this_cpu_ptr(&spare);
}

static void spare_end(bool process)
{
	if (process)
		local_bh_enable();
}

/*
 * Gives @room for @len bytes, less than a page, with a reference to its page.
 * False without memory.
 */
bool room_take(u32 len, struct page_frag *room)
{
	bool process, found;
	struct page_frag *frag = spare_begin(&process);

	found = skb_page_frag_refill(len, frag, GFP_ATOMIC | __GFP_NOWARN);
	if (found) {
		*room = *frag;
		get_page(frag->page);
		frag->offset += len;
	}
	spare_end(process);
	return found;
}

/* Lets @sk, which the caller has locked, have the CPU's room for a send. */
void room_lend(struct sock *sk)
{
	bool process;
	struct page_frag *frag = spare_begin(&process);

	swap(sk->sk_frag, *frag);
	spare_end(process);
}

/* Takes it back, or, where another send left some in the meantime, gives it up. */
void room_return(struct sock *sk)
{
	bool process;
	struct page_frag *frag = spare_begin(&process);

	if (!frag->page)
		swap(sk->sk_frag, *frag);
	spare_end(process);
	if (sk->sk_frag.page) {
		put_page(sk->sk_frag.page);
		sk->sk_frag.page = NULL;
	}
}

/* Frees the room of all CPUs. Nobody may send any more. */
void ktcpvs_room_free(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct page_frag *frag = per_cpu_ptr(&spare, cpu);

		if (frag->page)
			put_page(frag->page);
		frag->page = NULL;
	}
}
