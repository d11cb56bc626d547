/* SPDX-License-Identifier: GPL-2.0 */
/* What our own bindgen run sees. */

#include <linux/bvec.h>
#include <linux/jiffies.h>
#include <linux/net.h>
#include <linux/netdevice.h>
#include <linux/percpu.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/skbuff.h>
#include <linux/socket.h>
#include <linux/spinlock.h>
#include <linux/uio.h>
#include <linux/workqueue.h>
#include <net/genetlink.h>
#include <net/inet_common.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include <net/sock.h>
#include <net/tcp.h>
#include <net/tcp_states.h>

#include "../helpers/helpers.h"

/* The places of what rust/linux/net/fields.rs looks at. */
enum {
	KTCPVS_SK_STATE = offsetof(struct sock, sk_state),
	KTCPVS_SK_SHUTDOWN = offsetof(struct sock, sk_shutdown),
	KTCPVS_SK_OWNED = offsetof(struct sock, sk_lock.owned),
	KTCPVS_SK_FLAGS = offsetof(struct sock, sk_flags),
	KTCPVS_SK_FLAG_DONE = SOCK_DONE,
	KTCPVS_TCP_RCV_NXT = offsetof(struct tcp_sock, rcv_nxt),
	KTCPVS_TCP_MSTAMP = offsetof(struct tcp_sock, tcp_mstamp),
	KTCPVS_TCP_COPIED_SEQ = offsetof(struct tcp_sock, copied_seq),
};

#if __has_include("../control/generated/ktcpvs_nl.h")
#include "../control/generated/ktcpvs_nl.h"
#endif
