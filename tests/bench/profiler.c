// SPDX-License-Identifier: GPL-2.0
/*
 * A QEMU plugin that counts how often each translated block of the guest runs.
 *
 * Arguments: trigger=FILE. Whenever FILE appears, the counts so far are written
 * to the file beside it whose name it holds, and FILE is removed: that is the
 * answer. Each line is a block's address, its instructions, and its runs.
 *
 * The functions used are the same in all versions of the interface since QEMU
 * 4.2; only the number of the version must be one that QEMU offers, so that it
 * is given on the compiler's command line.
 */

#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };

typedef void (*tb_translated)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*tb_executed)(unsigned int vcpu, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, tb_translated cb);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
					  tb_executed cb,
					  enum qemu_plugin_cb_flags flags,
					  void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);

EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

/* A block, and how often it has run. Never freed: blocks are translated again. */
struct block {
	uint64_t address;
	uint64_t instructions;
	uint64_t runs;
	struct block *next;
};

#define BUCKET_BITS 16

static struct block *buckets[1 << BUCKET_BITS];
static const char *trigger;

static struct block *block_at(uint64_t address, uint64_t instructions)
{
	/* Fibonacci hashing. */
	size_t hash = (address * 0x9E3779B97F4A7C15u) >> (64 - BUCKET_BITS);
	struct block *block;

	for (block = buckets[hash]; block; block = block->next)
		if (block->address == address &&
		    block->instructions == instructions)
			return block;
	block = calloc(1, sizeof(*block));
	if (!block)
		abort();
	block->address = address;
	block->instructions = instructions;
	block->next = buckets[hash];
	buckets[hash] = block;
	return block;
}

static void executed(unsigned int vcpu, void *data)
{
	struct block *block = data;

	(void)vcpu;
	block->runs++;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, executed,
					     QEMU_PLUGIN_CB_NO_REGS,
					     block_at(qemu_plugin_tb_vaddr(tb),
						      qemu_plugin_tb_n_insns(tb)));
}

static void write_counts(const char *path)
{
	FILE *file = fopen(path, "w");
	struct block *block;
	size_t i;

	if (!file)
		return;
	for (i = 0; i < 1 << BUCKET_BITS; i++)
		for (block = buckets[i]; block; block = block->next)
			if (block->runs)
				fprintf(file, "%" PRIx64 " %" PRIu64 " %" PRIu64 "\n",
					block->address, block->instructions,
					block->runs);
	fclose(file);
}

/* Waits for the trigger. */
static void *watch(void *unused)
{
	(void)unused;
	for (;;) {
		char name[128] = "";
		char path[4096];
		FILE *file;

		usleep(2000);
		file = fopen(trigger, "r");
		if (!file)
			continue;
		if (fgets(name, sizeof(name), file) && !strchr(name, '/')) {
			snprintf(path, sizeof(path), "%.*s/%s",
				 (int)(strrchr(trigger, '/') - trigger), trigger,
				 name);
			write_counts(path);
			unlink(trigger);
		}
		fclose(file);
	}
	return NULL;
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc,
			       char **argv)
{
	pthread_t thread;

	(void)info;
	if (argc != 1 || strncmp(argv[0], "trigger=/", strlen("trigger=/")))
		return -1;
	trigger = strdup(argv[0] + strlen("trigger="));
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return trigger ? pthread_create(&thread, NULL, watch, NULL) : -1;
}
