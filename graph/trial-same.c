/* Trying operators: what must give the same bits: more threads, a restored state, shared memory.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "checkpoint.h"
#include "child.h"
#include "core.h"
#include "trial-private.h"

static gboolean
open_case (WeftTrialRig *rig, const WeftTrialCase *self, const WeftOperator *op, const WeftTrialSetup *setup, GError **error)
{
  weft_child_note ("running %s%s with the %s", op->name, setup->more ? WEFT_TRIAL_BACKWARDS : "", self->name);
  return weft_trial_rig_open (rig, self, op, setup, error);
}

static gboolean
same_tensors (const WeftTensor *a, const WeftTensor *b, const char *path, const char *difference, GError **error)
{
  gboolean same = weft_tensor_bytes (a) == weft_tensor_bytes (b) && memcmp (a->data, b->data, weft_tensor_bytes (a)) == 0;

  if (same && a->offsets)
    same = a->samples == b->samples && memcmp (a->offsets, b->offsets, (gsize) (a->samples + 1) * sizeof (gint32)) == 0;
  if (!same)
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "`%s` differs %s", path, difference);
  return same;
}

static gboolean
same_values (const WeftTrialRig *a, const WeftTrialRig *b, const char *difference, guint *count, GError **error)
{
  for (guint i = 0; i < a->graph->wires->len; i++)
    {
      const WeftWire *wire = a->graph->wires->pdata[i];
      if (!wire->node || !wire->kept || wire->node->op == &weft_feed_operator)
        continue;
      ++*count;
      if (!same_tensors (weft_executor_value (a->executor, wire), weft_executor_value (b->executor, b->graph->wires->pdata[i]),
                         wire->node->path, difference, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
same_stores (const WeftTrialRig *a, const WeftTrialRig *b, const char *difference, guint *count, GError **error)
{
  g_autoptr (GPtrArray) paths = weft_store_paths (a->store);

  for (guint i = 0; i < paths->len; i++)
    {
      ++*count;
      if (!same_tensors (weft_store_lookup (a->store, paths->pdata[i]), weft_store_lookup (b->store, paths->pdata[i]), paths->pdata[i],
                         difference, error))
        return FALSE;
    }
  return TRUE;
}

/* Rows and columns, so that kernels cut their work into several tiles. */
#define LARGE_WIDTH 66
#define LARGE_BOUND 100

#define TILES "with the order of its tiles, or with the threads that work on them"

static gboolean
try_threads (const WeftOperator *op, const WeftTrialCase *self, guint *count, GError **error)
{
  const char *why;
  g_autofree char *more = weft_trial_probe (op, self, NULL, TRUE, &why);
  WeftTrialSetup alone = { .threads = 1, .keep_all = TRUE, .more = more }, together = alone, dealt = alone;
  g_auto (WeftTrialRig) one = { 0 }, three = { 0 }, order = { 0 };

  together.threads = dealt.threads = 3;
  dealt.dealt = TRUE;
  if (!open_case (&one, self, op, &alone, self->given ? error : NULL))
    return !self->given;
  if (!open_case (&three, self, op, &together, error) || !open_case (&order, self, op, &dealt, error))
    return FALSE;
  for (guint step = 0; step < 2; step++)
    {
      if (!weft_trial_rig_step (&one, step, self->given ? error : NULL))
        return !self->given;
      if (!weft_trial_rig_step (&three, step, error) || !same_values (&one, &three, "between one thread and three", count, error)
          || !same_stores (&one, &three, "between one thread and three", count, error))
        return FALSE;
      if (!weft_trial_rig_step (&order, step, error) || !same_values (&one, &order, TILES, count, error)
          || !same_stores (&one, &order, TILES, count, error))
        return FALSE;
    }
  return TRUE;
}

#define FOLLOWED                                                                                                                           \
  "when others work on its parts as it announces them: weft_part_done() comes before a part is final, or not once for every element"

/* With nodes that work on parts of its result, at once and afterwards. */
static gboolean
try_followers (const WeftOperator *op, const WeftTrialCase *self, guint *count, GError **error)
{
  g_autofree char *node = weft_trial_node (self->nodes, op), *more = NULL;

  more = g_strdup_printf ("trial_elements: {op: scale, x: %s.%s, factor: 2}\n"
                          "trial_rows: {op: l2_normalize, x: trial_elements}\n",
                          node, op->outputs[0].name);
  for (guint threads = 1; threads <= 3; threads++)
    {
      const WeftTrialSetup setup = { .threads = threads, .dealt = threads == 2, .keep_all = TRUE, .more = more };
      g_auto (WeftTrialRig) led = { 0 }, apart = { 0 };
      if (!open_case (&led, self, op, &setup, NULL) || !open_case (&apart, self, op, &setup, NULL))
        return TRUE;
      weft_executor_watch (apart.executor, TRUE);
      if (!weft_trial_rig_step (&apart, 0, NULL))
        return TRUE;
      if (!weft_trial_rig_step (&led, 0, error) || !same_values (&apart, &led, FOLLOWED, count, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
for_each_case (const WeftOperator *op, gboolean (*try) (const WeftOperator *, const WeftTrialCase *, guint *, GError **), guint *count,
               GError **error)
{
  g_autoptr (GPtrArray) cases = weft_trial_cases (op);

  for (guint i = 0; i < cases->len; i++)
    if (!try (op, cases->pdata[i], count, error))
      {
        g_prefix_error (error, "%s: ", ((const WeftTrialCase *) cases->pdata[i])->name);
        return FALSE;
      }
  return TRUE;
}

/* Examples are often smaller than a tile. */
static gboolean
try_threads_at_large (const WeftOperator *op, guint *count, GError **error)
{
  g_autofree char *large = op->example ? weft_trial_resized (op->example, LARGE_WIDTH, LARGE_BOUND) : NULL;
  WeftTrialCase self = { large, (char *) "large example", WEFT_TRIAL_FULL, FALSE };

  if (!large || try_threads (op, &self, count, error))
    return TRUE;
  g_prefix_error (error, "%s: ", self.name);
  return FALSE;
}

gboolean
weft_trial_threads (const WeftOperator *op, guint *count, const char **why, GError **error)
{
  if (!for_each_case (op, try_threads, count, error) || !try_threads_at_large (op, count, error))
    return FALSE;
  if (op->announces_parts && !for_each_case (op, try_followers, count, error))
    return FALSE;
  if (!*count)
    *why = "its example gives nothing that could be compared";
  return TRUE;
}

#define BEFORE 2 /* steps before saving */
#define AFTER 2

#define RESTORED "after saving and restoring: a state is kept elsewhere than in the declared states"

static gboolean
restore_to (WeftTrialRig *to, const WeftTrialRig *from, GError **error)
{
  g_autofree char *folder = g_dir_make_tmp ("weft-trial-XXXXXX", error);
  g_autofree char *path = folder ? g_build_filename (folder, "state.safetensors", NULL) : NULL;
  gboolean good = path && weft_checkpoint_save (from->store, path, NULL, error) && weft_checkpoint_load (to->store, path, NULL, error);

  if (path)
    g_remove (path);
  if (folder)
    g_rmdir (folder);
  return good;
}

/* One run goes on; the other is stopped, saved, and goes on in a new executor. */
static gboolean
try_restore (const WeftOperator *op, const WeftTrialCase *self, guint *count, GError **error)
{
  const WeftTrialSetup setup = { .threads = 1, .keep_all = TRUE };
  g_auto (WeftTrialRig) through = { 0 }, stopped = { 0 }, restored = { 0 };

  if (!self->given)
    return TRUE;
  if (!open_case (&stopped, self, op, &setup, error))
    return FALSE;
  for (guint step = 0; step < BEFORE; step++)
    if (!weft_trial_rig_step (&stopped, step, error))
      return FALSE;
  if (!open_case (&through, self, op, &setup, error))
    return FALSE;
  for (guint step = 0; step < BEFORE; step++)
    if (!weft_trial_rig_step (&through, step, error))
      return FALSE;
  if (!same_values (&stopped, &through, RESTORED, count, error) || !open_case (&restored, self, op, &setup, error)
      || !restore_to (&restored, &stopped, error))
    return FALSE;
  for (guint step = BEFORE; step < BEFORE + AFTER; step++)
    if (!weft_trial_rig_step (&through, step, error) || !weft_trial_rig_step (&restored, step, error)
        || !same_values (&through, &restored, RESTORED, count, error) || !same_stores (&through, &restored, RESTORED, count, error))
      return FALSE;
  return TRUE;
}

gboolean
weft_trial_restore (const WeftOperator *op, guint *count, const char **why, GError **error)
{
  if (!for_each_case (op, try_restore, count, error))
    return FALSE;
  if (!*count)
    *why = "its example gives nothing that could be compared";
  return TRUE;
}

/* How many values took over the memory of others. */
static guint
shared_places (const WeftTrialRig *rig, const char *node)
{
  guint shared = 0;

  for (guint i = 0; i < rig->graph->wires->len; i++)
    {
      const WeftWire *wire = rig->graph->wires->pdata[i];
      shared += wire->node && g_strcmp0 (wire->node->path, node) == 0 && rig->plan->places[i].shares >= 0;
    }
  return shared;
}

/* With copies between what is fed and the operator there is memory to take over. */
static gboolean
try_in_place (const WeftOperator *op, const WeftTrialCase *given, guint *count, GError **error)
{
  const char *why;
  g_autofree char *nodes = weft_trial_through_copies (given->nodes), *node = NULL;
  WeftTrialCase self = { nodes, given->name, given->size, given->given };
  g_autofree char *more = nodes ? weft_trial_probe (op, &self, NULL, TRUE, &why) : NULL;

  if (!nodes)
    return TRUE;
  node = weft_trial_node (nodes, op);
  for (int probed = 0; probed < (more ? 2 : 1); probed++)
    {
      WeftTrialSetup setup = { .threads = 2, .more = probed ? more : NULL };
      g_auto (WeftTrialRig) in = { 0 }, out = { 0 };
      if (!open_case (&in, &self, op, &setup, NULL))
        return TRUE;
      if (!shared_places (&in, node))
        continue;
      setup.guarded = TRUE;
      if (!open_case (&out, &self, op, &setup, error))
        return FALSE;
      if (!weft_trial_rig_step (&in, 0, NULL))
        return TRUE;
      if (!weft_trial_rig_step (&out, 0, error) || !same_values (&in, &out, "in place", count, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
weft_trial_in_place (const WeftOperator *op, guint *count, const char **why, GError **error)
{
  if (!op->in_place || !op->in_place[0])
    {
      *why = "it declares nothing that works in place";
      return TRUE;
    }
  if (!for_each_case (op, try_in_place, count, error))
    return FALSE;
  if (!*count)
    *why = "the example gives it no memory to take over";
  return TRUE;
}
