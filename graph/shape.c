/* Symbolic shapes.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "shape.h"

gboolean
weft_shape_is_known (const WeftShape *shape)
{
  return shape->rank != WEFT_UNKNOWN_RANK;
}

gboolean
weft_dim_equal (const WeftDim *a, const WeftDim *b)
{
  return a->size == b->size && a->symbol == b->symbol;
}

gboolean
weft_shape_equal (const WeftShape *a, const WeftShape *b)
{
  if (a->type != b->type || a->rank != b->rank)
    return FALSE;
  for (guint i = 0; i < a->rank; i++)
    if (!weft_dim_equal (&a->dims[i], &b->dims[i]))
      return FALSE;
  return TRUE;
}

gint64
weft_dim_bound (const WeftDim *dim)
{
  return dim->symbol ? dim->size * dim->symbol->bound : dim->size;
}

gint64
weft_shape_bound_elements (const WeftShape *shape)
{
  gint64 elements = 1;

  for (guint i = 0; i < shape->rank; i++)
    if (__builtin_mul_overflow (elements, weft_dim_bound (&shape->dims[i]), &elements))
      return G_MAXINT64;
  return elements;
}

gsize
weft_shape_bound_bytes (const WeftShape *shape)
{
  gint64 elements = weft_shape_bound_elements (shape);
  gsize size = weft_type_size (shape->type);

  return elements > (gint64) (G_MAXSSIZE / size) ? G_MAXSIZE : (gsize) elements * size;
}

static void
print_size (GString *out, gint64 factor, const WeftSymbol *symbol)
{
  if (!symbol)
    g_string_append_printf (out, "%" G_GINT64_FORMAT, factor);
  else if (factor == 1)
    g_string_append (out, symbol->name);
  else
    g_string_append_printf (out, "%" G_GINT64_FORMAT "*%s", factor, symbol->name);
}

char *
weft_shape_print (const WeftShape *shape)
{
  GString *out = g_string_new (weft_type_name (shape->type));

  g_string_append_c (out, '[');
  for (guint i = 0; i < shape->rank; i++)
    {
      const WeftDim *dim = &shape->dims[i];
      if (i)
        g_string_append (out, ", ");
      if (dim->ragged)
        {
          print_size (out, dim->samples ? 1 : dim->sample_count, dim->samples);
          g_string_append_c (out, ':');
        }
      print_size (out, dim->size, dim->symbol);
    }
  g_string_append_c (out, ']');
  return g_string_free (out, FALSE);
}
