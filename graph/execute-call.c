/* What kernels may call while the executor runs them.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "execute-private.h"

void
weft_fail (const WeftCall *call, const char *format, ...)
{
  WeftExecutedNode *step = call->internal;
  WeftExecutor *self = step->executor;
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_mutex_lock (&self->failing);
  if (!self->failure)
    self->failure = g_error_new (WEFT_ERROR, WEFT_ERROR_INPUT, "%s `%s`: %s", step->node->op->name, step->node->path, message);
  g_mutex_unlock (&self->failing);
}

void
weft_exhausted (const WeftCall *call)
{
  ((WeftExecutedNode *) call->internal)->executor->exhausted = TRUE;
}

void
weft_expect_steps (const WeftCall *call, gint64 steps)
{
  ((WeftExecutedNode *) call->internal)->executor->expected = steps;
}

void
weft_resize (const WeftCall *call, WeftTensor *out, gint64 samples, gint64 rows)
{
  WeftExecutedNode *step = call->internal;
  WeftExecutor *self = step->executor;
  const WeftWire *wire = self->graph->wires->pdata[out - self->tensors];
  const WeftDim *dim = &wire->shape.dims[0];

  g_assert (out >= self->tensors && wire->node == step->node && wire->shape.rank);
  if (rows > weft_dim_bound (dim) || (dim->symbol && rows % dim->size))
    {
      weft_fail (call, "produced %" G_GINT64_FORMAT " rows; its bound is %" G_GINT64_FORMAT, rows, weft_dim_bound (dim));
      return;
    }
  if (dim->symbol)
    {
      self->sizes[dim->symbol->index].value = rows / dim->size;
      self->sizes[dim->symbol->index].set = TRUE;
    }
  if (dim->ragged && dim->samples)
    {
      self->sizes[dim->samples->index].value = samples;
      self->sizes[dim->samples->index].set = TRUE;
    }
}

void
weft_parallel (const WeftCall *call, gint64 tiles, void (*tile) (gpointer data, gint64 index, guint member), gpointer data)
{
  weft_team_run (((WeftExecutedNode *) call->internal)->executor->team, tiles, tile, data);
}

guint
weft_team_size (const WeftCall *call)
{
  const WeftExecutedNode *step = call->internal;

  return step ? weft_team_members (step->executor->team) : weft_team_largest ();
}
