// SPDX-License-Identifier: GPL-2.0
/* Generic netlink: messages and extended acks. */

#include <linux/module.h>
#include <linux/netlink.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include "../control/generated/ktcpvs_nl.h"
#include "helpers.h"

/* Who asks for the family has the module loaded. */
MODULE_ALIAS_GENL_FAMILY(KTCPVS_FAMILY_NAME);

/* The attributes of a request. Netlink messages are linear. */
void ktcpvs_genl_payload(const struct genl_info *info,
			 struct ktcpvs_piece *payload)
{
	payload->data = (const u8 *)(info->genlhdr + 1);
	payload->len = nlmsg_len(info->nlhdr) - GENL_HDRLEN;
}

struct net *ktcpvs_genl_net(const struct genl_info *info)
{
	return genl_info_net(info);
}

struct net *ktcpvs_genl_dump_net(const struct netlink_callback *cb)
{
	return sock_net(cb->skb->sk);
}

struct netlink_ext_ack *ktcpvs_genl_ack(const struct genl_info *info)
{
	return info->extack;
}

void ktcpvs_genl_ack_blame(struct netlink_ext_ack *extack,
			   const struct nlattr *attr)
{
	extack->bad_attr = attr;
}

/* Where a dump keeps its state between calls: KTCPVS_GENL_CTX bytes. */
void *ktcpvs_genl_dump_ctx(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(cb->ctx) < KTCPVS_GENL_CTX);
	return cb->ctx;
}

void ktcpvs_genl_dump_alloc(struct netlink_callback *cb, u32 size)
{
	cb->min_dump_alloc = size;
}

/* Says @len bytes of text, cut to what an ack may hold. */
void ktcpvs_genl_ack_text(struct netlink_ext_ack *extack, const u8 *text,
			  size_t len)
{
	len = min_t(size_t, len, NETLINK_MAX_FMTMSG_LEN - 1);
	memcpy(extack->_msg_buf, text, len);
	extack->_msg_buf[len] = 0;
	do_trace_netlink_extack(extack->_msg_buf);
	extack->_msg = extack->_msg_buf;
}

/* Begins a message of a dump; NULL if it does not fit. */
void *ktcpvs_genl_begin(struct sk_buff *skb, const struct netlink_callback *cb,
			u8 cmd)
{
	return genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			   &ktcpvs_nl_family, NLM_F_MULTI, cmd);
}

void ktcpvs_genl_end(struct sk_buff *skb, void *message)
{
	genlmsg_end(skb, message);
}

void ktcpvs_genl_cancel(struct sk_buff *skb, void *message)
{
	genlmsg_cancel(skb, message);
}

void *ktcpvs_genl_nest_begin(struct sk_buff *skb, u16 type)
{
	return nla_nest_start(skb, type);
}

void ktcpvs_genl_nest_end(struct sk_buff *skb, void *nest)
{
	nla_nest_end(skb, nest);
}

/* Room for a value of @len bytes; NULL if there is none. */
u8 *ktcpvs_genl_reserve(struct sk_buff *skb, u16 type, u32 len)
{
	struct nlattr *attr = nla_reserve(skb, type, len);

	return attr ? nla_data(attr) : NULL;
}

unsigned int ktcpvs_skb_len(const struct sk_buff *skb)
{
	return skb->len;
}
