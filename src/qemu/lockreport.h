/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/lockreport.h - what -lockstat has counted, as tables and as JSON. */
#ifndef QEMU_LOCKREPORT_H
#define QEMU_LOCKREPORT_H

#include "env/lock.h"
#include "env/strbuf.h"

/* Start counting; `path`: where the JSON goes at the end, NULL: nowhere. Before
 * there are other threads. Returns 0 or an errno value. */
int lockreport_start(const char *path);
/* Record what each thread does, for `path`: a Chrome trace (env/locktrace.h). Likewise. */
int locktrace_start(const char *path);
/* Append the tables. Upstream: info sync-profile. */
void lockreport_text(struct strbuf *b) REQUIRES(bql);
/* The same, and the TLB's and the TB store's figures, as one JSON object. */
void lockreport_json(struct strbuf *b) REQUIRES(bql);
/* At the end: tables to stderr, JSON and trace to their files. Returns 0 or an errno
 * value. */
int lockreport_end(void) REQUIRES(bql);

#endif
