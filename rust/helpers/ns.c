// SPDX-License-Identifier: GPL-2.0
/* Network namespaces: one object of ours in each. */

#include <linux/cred.h>
#include <linux/user_namespace.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "helpers.h"

static unsigned int ns_id __read_mostly;
static unsigned long ns_registered;

static struct pernet_operations ns_ops = {
	.id = &ns_id,
	.size = sizeof(void *),
};

/* One at a time. */
int ktcpvs_ns_register(int (*init)(struct net *net),
		       void (*exit)(struct net *net))
{
	int err;

	if (test_and_set_bit(0, &ns_registered))
		return -EBUSY;
	ns_ops.init = init;
	ns_ops.exit = exit;
	err = register_pernet_subsys(&ns_ops);
	if (err)
		clear_bit(0, &ns_registered);
	return err;
}

void ktcpvs_ns_unregister(void)
{
	unregister_pernet_subsys(&ns_ops);
	clear_bit(0, &ns_registered);
}

/*
 * Whether @net belongs to a container: it was made in a user namespace that is
 * not the first, by whoever is root there and may be nobody elsewhere.
 */
bool ktcpvs_ns_is_container(const struct net *net)
{
	return net->user_ns != &init_user_ns;
}

/* Where the object's pointer is kept, between init() and the end of exit(). */
void **ktcpvs_ns_slot(struct net *net)
{
	return net_generic(net, ns_id);
}
