/* Work done in a child process, so that code which crashes, hangs or ends the process takes nothing else with it.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * WeftChildEnd:
 * @finished: whether the work returned
 * @status: what it returned
 * @doing: what the child had last said that it was about to do
 * @stopped: whether it was not done in time
 * @reason: how it ended, if the work did not return: "crashed: Segmentation fault"; the end of a sentence
 */
typedef struct
{
  gboolean finished, stopped;
  int status;
  char *doing;
  char *reason;
} WeftChildEnd;

/**
 * weft_child_run:
 * @work: what the child does; its result is the child's exit status, 0 to 255
 * @seconds: how long it may take from one weft_child_note() to the next
 *
 * Runs @work in a fork of this process and waits for its end. Streams are shared. Must be called before this process has threads.
 */
void weft_child_run (int (*work) (gpointer data), gpointer data, double seconds, WeftChildEnd *end);
void weft_child_end_clear (WeftChildEnd *end);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeftChildEnd, weft_child_end_clear)

/* Says what the child does next, and that it is alive. Elsewhere than in a child it does nothing. */
void weft_child_note (const char *format, ...) G_GNUC_PRINTF (1, 2);

G_END_DECLS
