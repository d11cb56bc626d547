// SPDX-License-Identifier: GPL-2.0
/* Socket buffers: walking what a socket has received without consuming it. */

#include <linux/bvec.h>
#include <linux/skbuff.h>
#include <net/tcp.h>

#include "helpers.h"
#include "queue.h"

struct sk_buff *ktcpvs_skb_find(struct sock *sk, struct sk_buff *after,
				u32 skip, u32 *offset)
{
	return queue_find(sk, after, skip, offset);
}

/* Finds *@offset in the fragments, or makes it relative to what follows. */
static int frag_piece(const struct sk_buff *skb, u32 *offset,
		      struct ktcpvs_piece *piece)
{
	int i;

	if (!skb_frags_readable(skb))
		return -EIO;
	for (i = 0; i < skb_shinfo(skb)->nr_frags; i++) {
		const skb_frag_t *frag = &skb_shinfo(skb)->frags[i];

		if (*offset < skb_frag_size(frag)) {
			piece->data = (u8 *)skb_frag_address(frag) + *offset;
			piece->len = skb_frag_size(frag) - *offset;
			return 0;
		}
		*offset -= skb_frag_size(frag);
	}
	return -ENOENT;
}

static int own_piece(const struct sk_buff *skb, u32 *offset,
		     struct ktcpvs_piece *piece)
{
	if (*offset < skb_headlen(skb)) {
		piece->data = skb->data + *offset;
		piece->len = skb_headlen(skb) - *offset;
		return 0;
	}
	*offset -= skb_headlen(skb);
	return frag_piece(skb, offset, piece);
}

/*
 * The contiguous bytes that begin at @offset of @skb, as far as they reach.
 * 64-bit only: fragments are in the kernel's mapping.
 */
int ktcpvs_skb_piece(const struct sk_buff *skb, u32 offset,
		     struct ktcpvs_piece *piece)
{
	const struct sk_buff *part;
	int err;

	BUILD_BUG_ON(IS_ENABLED(CONFIG_HIGHMEM));
	err = own_piece(skb, &offset, piece);
	if (err != -ENOENT)
		return err;
	/* GRO may chain whole buffers; those have no chains of their own. */
	skb_walk_frags(skb, part) {
		err = own_piece(part, &offset, piece);
		if (err != -ENOENT)
			return err;
	}
	return -EIO;
}

/*
 * Copies @len unread bytes from number @skip on. False if they have not come, or
 * cannot be read.
 */
bool queue_copy(struct sock *sk, u8 *to, u32 skip, u32 len)
{
	struct ktcpvs_piece piece;
	struct sk_buff *src = NULL;
	u32 done = 0, off;

	while (done < len) {
		src = queue_find(sk, src, skip + done, &off);
		if (!src)
			return false;
		for (; done < len && off < src->len; off += piece.len) {
			if (ktcpvs_skb_piece(src, off, &piece))
				return false;
			piece.len = min_t(size_t, piece.len, len - done);
			memcpy(to + done, piece.data, piece.len);
			done += piece.len;
		}
	}
	return true;
}

/* Whether somebody may write to the bytes: see SKBFL_SHARED_FRAG. */
static bool is_shared(const struct sk_buff *skb)
{
	const struct sk_buff *part;

	if (skb_has_shared_frag(skb))
		return true;
	skb_walk_frags(skb, part) {
		if (skb_has_shared_frag(part))
			return true;
	}
	return false;
}

/*
 * Bytes that are looked at must not change any more: what is decided on them
 * would be meant for others. A sender on this host can send pages that it may
 * write to meanwhile (sendfile() of a file that it has mapped, vmsplice()): the
 * buffer gets pages of its own in their place, once. False without memory.
 */
bool ktcpvs_skb_own(struct sk_buff *skb)
{
	if (likely(!is_shared(skb)))
		return true;
	if (skb_has_frag_list(skb))
		return !skb_linearize(skb);
	if (skb_copy_ubufs(skb, GFP_ATOMIC))
		return false;
	skb_shinfo(skb)->flags &= ~SKBFL_SHARED_FRAG;
	return true;
}

/*
 * The first unread bytes, as far as they are contiguous: none, if there are
 * none or they cannot be read.
 */
void ktcpvs_skb_first(struct sock *sk, struct ktcpvs_piece *piece)
{
	struct sk_buff *skb = skb_peek(&sk->sk_receive_queue);
	const skb_frag_t *frag;
	u32 off;

	piece->len = 0;
	if (!skb || !ktcpvs_skb_own(skb))
		return;
	off = tcp_sk(sk)->copied_seq - TCP_SKB_CB(skb)->seq - skb_headlen(skb);
	frag = &skb_shinfo(skb)->frags[0];
	/* Where they nearly always are. */
	if (skb_shinfo(skb)->nr_frags && off < skb_frag_size(frag) &&
	    skb_frags_readable(skb)) {
		piece->data = (u8 *)skb_frag_address(frag) + off;
		piece->len = skb_frag_size(frag) - off;
		return;
	}
	skb = queue_find(sk, NULL, 0, &off);
	if (skb && (!ktcpvs_skb_own(skb) || ktcpvs_skb_piece(skb, off, piece)))
		piece->len = 0;
}

/*
 * As ktcpvs_skb_first(); but bytes that somebody may write to are copied to
 * @room, up to @len of them. True if they were.
 */
bool ktcpvs_skb_view(struct sock *sk, void *room, u32 len,
		     struct ktcpvs_piece *piece)
{
	const struct sk_buff *skb = skb_peek(&sk->sk_receive_queue);

	if (likely(!skb || !is_shared(skb))) {
		ktcpvs_skb_first(sk, piece);
		return false;
	}
	len = min_t(u32, len, tcp_inq(sk));
	piece->data = room;
	piece->len = queue_copy(sk, room, 0, len) ? len : 0;
	return true;
}

/*
 * Collects up to @nr page fragments, at most @max bytes, from the unread byte
 * number @skip on. Stops before bytes that cannot be sent so: none at the start
 * means that they must be copied.
 */
unsigned int ktcpvs_skb_gather(struct sock *sk, u32 skip, u32 max,
			       struct bio_vec *bv, unsigned int nr, u32 *total)
{
	struct sk_buff *skb;
	unsigned int n = 0;
	u32 off;
	int i;

	*total = 0;
	for (skb = queue_find(sk, NULL, skip, &off); skb;
	     skb = queue_find(sk, skb, skip + *total, &off)) {
		if (!queue_may_refer(skb, off))
			return n;
		off -= skb_headlen(skb);
		for (i = 0; i < skb_shinfo(skb)->nr_frags; i++) {
			const skb_frag_t *frag = &skb_shinfo(skb)->frags[i];
			u32 len = skb_frag_size(frag);

			if (off >= len) {
				off -= len;
				continue;
			}
			len = min(len - off, max - *total);
			if (n == nr || !len)
				return n;
			bvec_set_page(&bv[n++], skb_frag_page(frag), len,
				      skb_frag_off(frag) + off);
			*total += len;
			off = 0;
		}
	}
	return n;
}
