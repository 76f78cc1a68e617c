/* matrix_file: a similarity matrix that somebody saved.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <weft/operator.h>

typedef struct
{
  const char *path;
  gint64 rows, columns;
} MatrixFile;

static gpointer
matrix_file_open (const WeftOpening *opening, GError **error)
{
  const MatrixFile *attributes = opening->attributes;
  g_autoptr (WeftNpy) npy = weft_npy_open (attributes->path, error);
  if (npy == NULL)
    return NULL;
  const WeftTensor *tensor = weft_npy_tensor (npy);
  if (tensor->rank == 2 && tensor->shape[0] == attributes->rows && tensor->shape[1] == attributes->columns)
    return g_steal_pointer (&npy);
  g_autofree char *found = weft_tensor_describe (tensor);
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: holds %s, the pipeline says [%" G_GINT64_FORMAT ", %" G_GINT64_FORMAT "]",
               attributes->path, found, attributes->rows, attributes->columns);
  return NULL;
}

static void
matrix_file_close (gpointer instance)
{
  weft_npy_close (instance);
}

static void
matrix_file_forward (const WeftCall *call)
{
  const MatrixFile *attributes = call->attributes;
  g_autoptr (GError) error = NULL;
  float *y = call->out[0]->data;
  WeftType type = weft_npy_tensor (call->instance)->type;
  char *row = call->scratch;
  for (gint64 i = 0; i < attributes->rows; i++, y += attributes->columns)
    {
      if (!weft_npy_read (call->instance, i, 1, type == WEFT_F32 ? (gpointer) y : row, &error))
        {
          weft_fail (call, "%s", error->message);
          return;
        }
      if (type != WEFT_F32)
        weft_convert_to_f32 (type, row, attributes->columns, y);
    }
}

static gsize
matrix_file_scratch (const WeftCall *call)
{
  return (gsize) ((const MatrixFile *) call->attributes)->columns * sizeof (double);
}

static const WeftAttribute attributes[] = {
  WEFT_PATH (MatrixFile, path, NULL, "`.npy` file of two dimensions, images by captions, of any floating type"),
  WEFT_INTEGER (MatrixFile, rows, NULL, 1, G_MAXINT32, "images", "its number of rows"),
  WEFT_INTEGER (MatrixFile, columns, NULL, 1, G_MAXINT32, "captions", "its number of columns"),
  { .name = NULL },
};

static const WeftPort inputs[] = { { .name = NULL } };

static const WeftPort outputs[] = {
  { .name = "y", .signature = "f32[$rows, $columns]", .meaning = "the matrix" },
  { .name = NULL },
};

static const WeftOperator matrix_file = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "matrix_file",
  .version = 1,
  .summary = "A similarity matrix from an `.npy` file",
  .source = "numpy.lib.format",
  .attributes_size = sizeof (MatrixFile),
  .attributes = attributes,
  .inputs = inputs,
  .outputs = outputs,
  .forward = matrix_file_forward,
  .not_differentiable = "a file is a constant",
  .scratch = matrix_file_scratch,
  .open = matrix_file_open,
  .close = matrix_file_close,
  .example = "saved: {op: matrix_file, path: data/similarity.npy, rows: 2, columns: 10}\n"
             "recalls: {op: recalls, similarity: saved}\n",
};
WEFT_OPERATOR (matrix_file);
