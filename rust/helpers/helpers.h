/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The C shims: static inlines and macros that bindgen cannot see, one file a
 * kernel subsystem. Declared here once, for the compiler and for bindgen.
 */
#ifndef KTCPVS_HELPERS_H
#define KTCPVS_HELPERS_H

#include <linux/spinlock_types.h>
#include <linux/types.h>

struct bio_vec;
struct genl_info;
struct net;
struct netlink_callback;
struct netlink_ext_ack;
struct nlattr;
struct sk_buff;
struct sock;
struct socket;
struct workqueue_struct;

/* sock.c */
struct ktcpvs_sock_calls {
	void (*data_ready)(struct sock *sk);
	void (*write_space)(struct sock *sk);
	void (*state_change)(struct sock *sk);
};

bool ktcpvs_in_softirq(void);
bool ktcpvs_bh_trylock_sock(struct sock *sk);
void ktcpvs_bh_lock_sock(struct sock *sk);
void ktcpvs_bh_lock_sock_nested(struct sock *sk);
void ktcpvs_bh_unlock_sock(struct sock *sk);
void ktcpvs_sock_hold(struct sock *sk);
void ktcpvs_sock_put(struct sock *sk);
int ktcpvs_sock_hook(struct sock *sk, void *user_data,
		     struct ktcpvs_sock_calls *calls);
void ktcpvs_sock_unhook(struct sock *sk, const struct ktcpvs_sock_calls *calls);
void ktcpvs_sock_disinherit(struct sock *child, const struct sock *listener,
			    const struct ktcpvs_sock_calls *calls);
struct sock *ktcpvs_socket_sk(const struct socket *sock);
void *ktcpvs_sock_user_data(const struct sock *sk);
void ktcpvs_sock_prepare(struct sock *sk);
int ktcpvs_sock_err(const struct sock *sk);
bool ktcpvs_sock_take_nospace(struct sock *sk);
void ktcpvs_socket_release(struct socket *sock);
void ktcpvs_sock_peer(const struct sock *sk, u8 addr[16], u16 *port);
void ktcpvs_sock_set_reuse(struct sock *sk, bool force);
void ktcpvs_sock_set_v6only(struct sock *sk);
u32 ktcpvs_sock_size(const struct sock *sk);
u32 ktcpvs_sock_buffered(const struct sock *sk);

/* mm.c */
u64 ktcpvs_ram(void);

/* tcp.c */
void ktcpvs_tcp_expect_reply(struct sock *sk);
void ktcpvs_tcp_make_room(struct sock *sk, u32 len);
bool ktcpvs_tcp_starved(const struct sock *sk);
bool ktcpvs_tcp_outstanding(const struct sock *sk, u32 *una);
bool ktcpvs_tcp_drained(struct sock *sk);
bool ktcpvs_tcp_shutdown_send(struct sock *sk, bool may_sleep);
int ktcpvs_tcp_send(struct sock *sk, const void *buf, size_t len, bool more);
int ktcpvs_tcp_splice(struct sock *sk, const struct bio_vec *bv,
		      unsigned int nr, size_t len, bool more);
bool ktcpvs_tcp_relay_with(struct sock *sk, struct sock *from, u32 at, u32 len,
			   const void *extra, u32 extra_len);
u32 ktcpvs_tcp_relay(struct sock *sk, struct sock *from, u32 skip, u32 len);

/* room.c */
void ktcpvs_room_free(void);

/* lock.c */
bool ktcpvs_spin_lock_bh(spinlock_t *lock);
bool ktcpvs_spin_trylock_bh(spinlock_t *lock);
void ktcpvs_spin_unlock_bh(spinlock_t *lock, bool bh);
void ktcpvs_spin_assert_held(spinlock_t *lock);
void ktcpvs_sock_assert_held(struct sock *sk);
void ktcpvs_sock_lock_inner(struct sock *sk);
unsigned int ktcpvs_this_cpu_begin(bool *bh);
void ktcpvs_this_cpu_end(void);

/* percpu.c */
void *ktcpvs_counters_alloc(unsigned int nr);
void ktcpvs_counters_free(void *counters);
void ktcpvs_counters_add(void *counters, unsigned int i, u64 n);
void ktcpvs_counters_add3(void *counters, unsigned int i, u64 a, u64 b, u64 c);
u64 ktcpvs_counters_sum(void *counters, unsigned int i);
unsigned int ktcpvs_some_cpu(void);

/* ns.c */
int ktcpvs_ns_register(int (*init)(struct net *net),
		       void (*exit)(struct net *net));
void ktcpvs_ns_unregister(void);
void **ktcpvs_ns_slot(struct net *net);
bool ktcpvs_ns_is_container(const struct net *net);

/* workqueue.c */
struct workqueue_struct *ktcpvs_alloc_workqueue(const char *name, bool bh,
						bool highpri);

/* skb.c */
struct ktcpvs_piece {
	const u8 *data;
	size_t len;
};

struct sk_buff *ktcpvs_skb_find(struct sock *sk, struct sk_buff *after,
				u32 skip, u32 *offset);
bool ktcpvs_skb_own(struct sk_buff *skb);
void ktcpvs_skb_first(struct sock *sk, struct ktcpvs_piece *piece);
bool ktcpvs_skb_view(struct sock *sk, void *room, u32 len,
		     struct ktcpvs_piece *piece);
int ktcpvs_skb_piece(const struct sk_buff *skb, u32 offset,
		     struct ktcpvs_piece *piece);
unsigned int ktcpvs_skb_gather(struct sock *sk, u32 skip, u32 max,
			       struct bio_vec *bv, unsigned int nr, u32 *total);

unsigned int ktcpvs_skb_len(const struct sk_buff *skb);

/* genetlink.c */
void ktcpvs_genl_payload(const struct genl_info *info,
			 struct ktcpvs_piece *payload);
struct net *ktcpvs_genl_net(const struct genl_info *info);
struct net *ktcpvs_genl_dump_net(const struct netlink_callback *cb);
struct netlink_ext_ack *ktcpvs_genl_ack(const struct genl_info *info);
void ktcpvs_genl_ack_blame(struct netlink_ext_ack *extack,
			   const struct nlattr *attr);
#define KTCPVS_GENL_CTX 48
void *ktcpvs_genl_dump_ctx(struct netlink_callback *cb);
void ktcpvs_genl_dump_alloc(struct netlink_callback *cb, u32 size);
void ktcpvs_genl_ack_text(struct netlink_ext_ack *extack, const u8 *text,
			  size_t len);
void *ktcpvs_genl_begin(struct sk_buff *skb, const struct netlink_callback *cb,
			u8 cmd);
void ktcpvs_genl_end(struct sk_buff *skb, void *message);
void ktcpvs_genl_cancel(struct sk_buff *skb, void *message);
void *ktcpvs_genl_nest_begin(struct sk_buff *skb, u16 type);
u8 *ktcpvs_genl_reserve(struct sk_buff *skb, u16 type, u32 len);
void ktcpvs_genl_nest_end(struct sk_buff *skb, void *nest);

#endif /* KTCPVS_HELPERS_H */
