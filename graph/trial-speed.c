/* Trying operators: time at a large size, beside what the machine reaches.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "core.h"
#include "product.h"
#include "trial-private.h"

#define REPEATS 7
/* What a limit is the best of: threads that have just started may share a processor for a while. */
#define LIMIT_REPEATS 20
#define LIMIT_MICROSECONDS 50000

static gboolean
is_of (const WeftNode *node, const char *name, gboolean backward)
{
  gsize n = strlen (name);
  const WeftNode *of = node->of ? node->of : node;

  return (node->kind == WEFT_NODE_GRADIENT) == backward && strncmp (of->path, name, n) == 0 && (!of->path[n] || of->path[n] == '.');
}

/* An optimizer reads each weight, its gradient and its slots, and writes weights and slots. */
static double
weights_moved (const WeftNode *node)
{
  double bytes = 0;

  for (guint i = 0; node->targets && i < node->targets->len; i++)
    {
      const WeftTarget *target = &g_array_index (node->targets, WeftTarget, i);
      guint times = target->gradient ? 3 : 2;
      for (guint k = 0; k < WEFT_MAX_SLOTS; k++)
        times += target->slots[k] ? 2 : 0;
      bytes += (double) times * (double) weft_shape_bound_bytes (&target->shape);
    }
  return bytes;
}

/* What the nodes of the operator must move at least: each value that they read or make, once. */
static double
bytes_moved (const WeftTrialRig *rig, const char *name, gboolean backward, gint64 *elements)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  double bytes = 0;

  for (guint i = 0; i < rig->graph->wires->len; i++)
    {
      WeftWire *wire = rig->graph->wires->pdata[i];
      if (wire->node && is_of (wire->node, name, backward) && (rig->plan->places[i].bytes || wire->kept))
        g_hash_table_add (seen, wire);
    }
  for (guint i = 0; i < rig->graph->nodes->len; i++)
    {
      const WeftNode *node = rig->graph->nodes->pdata[i];
      bytes += is_of (node, name, backward) ? weights_moved (node) : 0;
      for (guint port = 0; port < WEFT_MAX_PORTS && is_of (node, name, backward); port++)
        {
          const WeftNode *of = node->of ? node->of : node;
          for (guint k = 0; k < of->inputs[port].n && of->inputs[port].wires; k++)
            if (of->inputs[port].wires[k] && (!backward || of->op->inputs[port].flags & WEFT_PORT_READ))
              g_hash_table_add (seen, of->inputs[port].wires[k]);
          if (node->out_gradients[port])
            g_hash_table_add (seen, node->out_gradients[port]);
        }
    }
  GHashTableIter iter;
  gpointer wire;
  g_hash_table_iter_init (&iter, seen);
  while (g_hash_table_iter_next (&iter, &wire, NULL))
    {
      const WeftTensor *tensor = weft_executor_value (rig->executor, wire);
      bytes += (double) weft_tensor_bytes (tensor);
      *elements += backward ? 0 : weft_tensor_elements (tensor);
    }
  return bytes;
}

static double
seconds_in (const WeftTrialRig *rig, const char *name, gboolean backward)
{
  double sum = 0;

  for (guint i = 0; i < rig->graph->nodes->len; i++)
    if (is_of (rig->graph->nodes->pdata[i], name, backward))
      sum += weft_executor_times (rig->executor)[i];
  return sum;
}

/* Products are counted over the whole step: they are the operator's if nothing else in it has any. */
static gboolean
has_other_products (const WeftTrialRig *rig, const char *name)
{
  for (guint i = 0; i < rig->graph->nodes->len; i++)
    {
      const WeftNode *node = rig->graph->nodes->pdata[i];
      gboolean own = is_of (node, name, FALSE) || is_of (node, name, TRUE);
      if (!own && (node->parameters[0].path || g_str_equal (node->op->name, "matrix_product")))
        return TRUE;
    }
  return FALSE;
}

static gboolean
measure (const WeftOperator *op, const WeftTrialCase *self, const WeftTrialSetup *setup, WeftTrialSpeed *speed, double *operations,
         GError **error)
{
  g_auto (WeftTrialRig) rig = { 0 };
  g_autofree char *name = weft_trial_node (self->nodes, op);

  if (!weft_trial_rig_open (&rig, self, op, setup, error))
    return FALSE;
  speed->elements = 0;
  for (guint step = 0; step < REPEATS; step++)
    {
      double before[2] = { seconds_in (&rig, name, FALSE), seconds_in (&rig, name, TRUE) };
      weft_products_count (TRUE);
      if (!weft_trial_rig_step (&rig, step, error))
        return FALSE;
      *operations = (double) weft_products_counted ();
      for (int backward = 0; backward < 2; backward++)
        {
          double seconds = seconds_in (&rig, name, backward) - before[backward];
          if (!step || seconds < speed->seconds[backward])
            speed->seconds[backward] = seconds;
        }
    }
  weft_products_count (FALSE);
  if (has_other_products (&rig, name))
    *operations = 0;
  for (int backward = 0; backward < 2; backward++)
    speed->bytes[backward] = bytes_moved (&rig, name, backward, &speed->elements);
  return TRUE;
}

#define COPY_TILE ((gint64) 1 << 13)
#define COPY_LARGE ((gint64) 1 << 24)

typedef struct
{
  const float *from;
  float *to;
} Copy;

static void
copy_tile (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const Copy *copy = data;

  memcpy (copy->to + index * COPY_TILE, copy->from + index * COPY_TILE, COPY_TILE * sizeof (float));
}

/* Bytes per second, read and written, of copying @elements numbers: as operators do, small ones stay in caches. */
static double
copying (guint threads, gint64 elements)
{
  gint64 tiles = MAX ((elements + COPY_TILE - 1) / COPY_TILE, 1), n = tiles * COPY_TILE;
  g_autoptr (WeftTeam) team = weft_team_new (threads, NULL);
  g_autofree float *from = g_new (float, n), *to = g_new (float, n);
  Copy copy = { from, to };
  double best = G_MAXDOUBLE;
  gint64 begin = g_get_monotonic_time ();

  for (gint64 i = 0; i < n; i++)
    from[i] = to[i] = (float) i;
  for (guint i = 0; team && (i < LIMIT_REPEATS || g_get_monotonic_time () < begin + LIMIT_MICROSECONDS); i++)
    {
      gint64 start = g_get_monotonic_time ();
      weft_team_run (team, tiles, copy_tile, &copy);
      best = MIN (best, (double) (g_get_monotonic_time () - start) * 1e-6);
    }
  return 2.0 * (double) n * sizeof (float) / MAX (best, 1e-6);
}

/* Forward alone tells which of the operations are forward's. */
gboolean
weft_trial_speed (const WeftOperator *op, guint threads, WeftTrialSpeed *speed, GError **error)
{
  g_autofree char *large = op->example ? weft_trial_resized (op->example, 256, 128) : NULL, *more = NULL;
  WeftTrialCase self = { large ? large : (char *) op->example, (char *) "large example", WEFT_TRIAL_FULL, TRUE };
  WeftTrialSetup setup = { .threads = threads };
  const char *why;
  double both = 0;

  *speed = (WeftTrialSpeed){ 0 };
  if (!op->example)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "there is no example");
      return FALSE;
    }
  if (!measure (op, &self, &setup, speed, &speed->operations[0], error))
    return FALSE;
  setup.more = more = weft_trial_probe (op, &self, NULL, FALSE, &why);
  if (more && !measure (op, &self, &setup, speed, &both, error))
    return FALSE;
  speed->operations[1] = more && both > 0 ? both - speed->operations[0] : 0;
  for (int backward = 0; backward < 2; backward++)
    if (speed->bytes[backward] > 0)
      speed->copying[backward] = copying (threads, (gint64) (speed->bytes[backward] / 2 / sizeof (float)));
  return TRUE;
}

#define PRODUCT_SIZE 1024

typedef struct
{
  const float *a;
  float *c;
} Product;

static void
product_tile (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const Product *self = data;
  gint64 rows = PRODUCT_SIZE / 4;

  weft_matrix_product_here (FALSE, TRUE, rows, PRODUCT_SIZE, PRODUCT_SIZE, 1, self->a + index * rows * PRODUCT_SIZE, PRODUCT_SIZE, self->a,
                            PRODUCT_SIZE, 0, self->c + index * rows * PRODUCT_SIZE, PRODUCT_SIZE);
}

static double
product_seconds (guint threads)
{
  g_autoptr (WeftTeam) team = weft_team_new (threads, NULL);
  g_autofree float *a = g_new (float, PRODUCT_SIZE *PRODUCT_SIZE), *c = g_new (float, PRODUCT_SIZE *PRODUCT_SIZE);
  Product product = { a, c };
  double best = G_MAXDOUBLE;
  gint64 begin = g_get_monotonic_time ();

  for (guint i = 0; i < PRODUCT_SIZE * PRODUCT_SIZE; i++)
    a[i] = (float) (i % 5) - 2;
  for (guint i = 0; team && (i < LIMIT_REPEATS || g_get_monotonic_time () < begin + LIMIT_MICROSECONDS); i++)
    {
      gint64 start = g_get_monotonic_time ();
      weft_team_run (team, 4, product_tile, &product);
      best = MIN (best, (double) (g_get_monotonic_time () - start) * 1e-6);
    }
  return best;
}

void
weft_trial_limits (guint threads, double *bandwidth, double *operations)
{
  *bandwidth = copying (threads, COPY_LARGE);
  *operations = 2.0 * PRODUCT_SIZE * PRODUCT_SIZE * PRODUCT_SIZE / product_seconds (threads);
}
