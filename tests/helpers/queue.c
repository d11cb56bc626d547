// SPDX-License-Identifier: GPL-2.0
/*
 * queue_find() of rust/helpers/queue.h: all queues of two buffers around each byte that is read
 * next, against places on a line that does not end. NUMBER is what the kernel's u32 is.
 */

#include "../../rust/helpers/queue.h"

#include <stdio.h>

/* How far before and behind the next byte buffers begin, how long they are, what is looked for. */
enum { AROUND = 4, LONGEST = 5, FARTHEST = 10 };

struct span {
	long start, len;
};

static bool check(long copied, const struct span spans[2], int after, long skip)
{
	struct sk_buff list[2] = {
		{ .seq = (u32)spans[0].start, .len = (u32)spans[0].len },
		{ .seq = (u32)spans[1].start, .len = (u32)spans[1].len },
	};
	struct sock sk = { (u32)copied, { list, 2 } };
	struct sk_buff *expected = NULL, *found;
	long place = copied + skip;
	u32 offset = 0, where = 0;

	for (int i = after + 1; i < 2 && !expected; i++) {
		if (spans[i].start <= place && place < spans[i].start + spans[i].len) {
			expected = &list[i];
			where = (u32)(place - spans[i].start);
		}
	}
	found = queue_find(&sk, after < 0 ? NULL : &list[after], (u32)skip, &offset);
	if (found == expected && offset == where)
		return true;
	printf("%ld, [%ld, %ld] and [%ld, %ld], after %d, skip %ld: offset %ld\n", copied,
	       spans[0].start, spans[0].len, spans[1].start, spans[1].len, after, skip,
	       found ? (long)offset : -1);
	return false;
}

/* Buffer number @i is each that there is, in turn. */
static bool fill(long copied, struct span spans[2], int i)
{
	for (long start = -AROUND; start <= AROUND; start++) {
		for (long len = 0; len <= LONGEST; len++) {
			spans[i] = (struct span){ copied + start, len };
			if (i == 0) {
				if (!fill(copied, spans, 1))
					return false;
				continue;
			}
			for (long skip = 0; skip <= FARTHEST; skip++) {
				for (int after = -1; after < 2; after++) {
					if (!check(copied, spans, after, skip))
						return false;
				}
			}
		}
	}
	return true;
}

int main(void)
{
	long all = 1L << (8 * sizeof(u32)), step = sizeof(u32) == 1 ? 1 : all / 4;

	for (long bound = 0; bound < all; bound += step) {
		for (long off = step > 1 ? -12 : 0; off <= (step > 1 ? 12 : 0); off++) {
			struct span spans[2];

			if (!fill(bound + off, spans, 0))
				return 1;
		}
	}
	return 0;
}
