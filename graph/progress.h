/* What a person sees of long work: one updating line on a terminal, plain lines elsewhere, everything lasting in a log file.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdio.h>

#include <glib.h>

G_BEGIN_DECLS

typedef struct _WeftProgress WeftProgress;

/**
 * weft_progress_new:
 * @out: (nullable) (transfer none): where to show; %NULL: nowhere
 */
WeftProgress *weft_progress_new (FILE *out);
void weft_progress_free (WeftProgress *progress);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftProgress, weft_progress_free)

/* Appends lasting lines, with the time of day, to a file. */
gboolean weft_progress_log_to (WeftProgress *progress, const char *path, GError **error);

/* A lasting line. */
void weft_progress_line (WeftProgress *progress, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* Whether weft_progress_update() would show anything now, so that texts are not made for nothing. */
gboolean weft_progress_wants (WeftProgress *progress);
/* The state of the work: replaces the updating line on a terminal, else a plain line every ten seconds. */
void weft_progress_update (WeftProgress *progress, const char *text);

/* "2 h 13 min", "4 min 10 s", "12 s", "0.4 s". */
char *weft_duration_print (double seconds);

G_END_DECLS
