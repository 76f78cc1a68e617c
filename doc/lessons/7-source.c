/* Lesson 7: a data source that reads a file.
 *
 * array_rows: the rows of a `.npy` file in batches. `open` meets the file once, after the whole pipeline was checked, and holds it against what
 * the pipeline declares; the position in the pass is a state, so that a run goes on where it stopped.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <weft/operator.h>

typedef struct
{
  const char *path;
  gint64 batch, width;
} ArrayRows;

/* Mistakes are messages with the path, what was found and what was expected. */
static gpointer
open_rows (const WeftOpening *opening, GError **error)
{
  const ArrayRows *self = opening->attributes;
  g_autoptr (WeftNpy) npy = weft_npy_open (self->path, error);
  const WeftTensor *tensor = npy ? weft_npy_tensor (npy) : NULL;

  if (!npy || (tensor->rank == 2 && tensor->shape[1] == self->width && tensor->type == WEFT_F32))
    return g_steal_pointer (&npy);
  g_autofree char *found = weft_tensor_describe (tensor);
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s holds %s; expected float32 rows of %" G_GINT64_FORMAT " numbers (attribute width)",
               self->path, found, self->width);
  return NULL;
}

static void
close_rows (gpointer instance)
{
  weft_npy_close (instance);
}

static void
forward (const WeftCall *call)
{
  const ArrayRows *self = call->attributes;
  gint64 *position = call->states[0]->data, rows = weft_npy_tensor (call->instance)->shape[0];
  gint64 n = MIN (self->batch, rows - *position);
  g_autoptr (GError) error = NULL;

  if (n <= 0)
    {
      *position = 0;
      weft_exhausted (call);
      return;
    }
  if (!weft_npy_read (call->instance, *position, n, call->out[0]->data, &error))
    {
      weft_fail (call, "%s: %s", self->path, error->message);
      return;
    }
  *position += n;
  weft_resize (call, call->out[0], 0, n);
}

static const WeftAttribute attributes[] = {
  WEFT_PATH (ArrayRows, path, NULL, "float32 `.npy` file of two dimensions"),
  WEFT_INTEGER (ArrayRows, batch, NULL, 1, 1 << 20, "rows", "rows of a step; the last step of a pass has what is left"),
  WEFT_INTEGER (ArrayRows, width, NULL, 1, 1 << 20, "", "numbers of a row"),
  { 0 },
};

/* How many rows there are is known only when they are read: b is a size that depends on data, at most $batch. */
static const WeftPort outputs[] = {
  { .name = "rows", .signature = "f32[b <= $batch, $width]", .meaning = "rows of the file" },
  { 0 },
};

static const WeftPort states[] = {
  { .name = "position", .signature = "i64[]", .initial = "zeros", .meaning = "rows of this pass that were given" },
  { 0 },
};

static const WeftOperator array_rows = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "array_rows",
  .version = 1,
  .summary = "The rows of a .npy file in batches",
  .source = "numpy.lib.format",
  .attributes_size = sizeof (ArrayRows),
  .attributes = attributes,
  .outputs = outputs,
  .states = states,
  .forward = forward,
  .not_differentiable = "a source of data",
  .open = open_rows,
  .close = close_rows,
  .is_source = TRUE,
  .example = "items: {op: array_rows, path: data/similarity.npy, batch: 1, width: 10}\n"
             "average: {op: mean, x: items.rows}\n",
};
WEFT_OPERATOR (array_rows);
WEFT_MODULE ("lesson-7", "1.0", "A data source");
