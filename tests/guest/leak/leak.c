// SPDX-License-Identifier: GPL-2.0
/* Loses memory, so that the gate for leaks can be seen to work. */
#include <linux/module.h>
#include <linux/slab.h>

/* As many objects, of so many bytes. */
#define NR 300
#define SIZE 100

static int __init leak_init(void)
{
	int i;

	for (i = 0; i < NR; i++) {
		void *lost = kzalloc(SIZE, GFP_KERNEL);

		/* It might be left out else. */
		barrier_data(lost);
	}
	return 0;
}

static void __exit leak_exit(void)
{
}

module_init(leak_init);
module_exit(leak_exit);
MODULE_DESCRIPTION("Loses memory");
MODULE_LICENSE("GPL");
