/* What the files that make trials share.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "trials.h"

G_BEGIN_DECLS

/* Takes over @why. */
void weft_trial_say_why (WeftTrial *trial, WeftTrialState state, char *why);
char **weft_trial_settings (const WeftTrial *trial);
gboolean weft_trial_parse_numbers (WeftTrial *trial, const char *text);
gboolean weft_trial_write_result (WeftTrial *trial, GError **error);
/* The newest checkpoint's step, -1 if there is none. */
gint64 weft_trial_reached (const char *directory);

G_END_DECLS
