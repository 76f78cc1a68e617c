/* Sizes in signatures: letters, what they stand for, and shapes held against them or made from them.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "attributes.h"
#include "infer-private.h"

static void
binding_free (gpointer data)
{
  WeftBinding *binding = data;

  g_free (binding->origin);
  g_free (binding);
}

void
weft_infer_bind (WeftInference *self, const char *letter, const WeftDim *dim, const char *origin)
{
  WeftBinding *binding = g_new0 (WeftBinding, 1);

  binding->dim = *dim;
  binding->origin = g_strdup (origin);
  g_hash_table_insert (self->letters, g_strdup (letter), binding);
}

void
weft_infer_begin (WeftInference *self)
{
  self->letters = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, binding_free);
}

void
weft_infer_end (WeftInference *self)
{
  g_clear_pointer (&self->letters, g_hash_table_unref);
  g_clear_pointer (&self->ellipsis_origin, g_free);
}

static WeftDim
constant (gint64 size)
{
  return (WeftDim){ .size = size };
}

static gboolean
attribute_size (const WeftNode *node, const char *name, WeftDim *dim)
{
  const WeftAttribute *attribute = weft_operator_attribute (node->op, name);

  if (!attribute || attribute->kind != WEFT_ATTRIBUTE_INTEGER)
    return FALSE;
  *dim = constant (*(const gint64 *) ((const char *) node->attributes + attribute->offset));
  return TRUE;
}

static gboolean
combine (char operation, const WeftDim *left, const WeftDim *right, WeftDim *dim)
{
  gint64 a = left->size, b = right->size;

  if (operation == '*' && !(left->symbol && right->symbol))
    {
      *dim = (WeftDim){ .symbol = left->symbol ? left->symbol : right->symbol };
      return !__builtin_mul_overflow (a, b, &dim->size);
    }
  if (operation == '/' && !right->symbol && b != 0 && a % b == 0)
    {
      *dim = (WeftDim){ .size = a / b, .symbol = left->symbol };
      return TRUE;
    }
  if (left->symbol != right->symbol)
    return FALSE;
  *dim = (WeftDim){ .symbol = left->symbol };
  if (operation == '+')
    return !__builtin_add_overflow (a, b, &dim->size);
  return operation == '-' && !__builtin_sub_overflow (a, b, &dim->size);
}

gboolean
weft_infer_evaluate (const WeftInference *self, const WeftSize *size, gboolean bounds, WeftDim *dim)
{
  const WeftBinding *binding;
  WeftDim left, right;

  switch (size->kind)
    {
    case WEFT_SIZE_INTEGER:
      *dim = constant (size->integer);
      return TRUE;
    case WEFT_SIZE_ATTRIBUTE:
      return attribute_size (self->node, size->name, dim);
    case WEFT_SIZE_LETTER:
      binding = g_hash_table_lookup (self->letters, size->name);
      if (!binding)
        return FALSE;
      *dim = bounds ? constant (weft_dim_bound (&binding->dim)) : binding->dim;
      return TRUE;
    case WEFT_SIZE_OPERATION:
      return weft_infer_evaluate (self, size->left, bounds, &left) && weft_infer_evaluate (self, size->right, bounds, &right)
             && combine (size->operation, &left, &right, dim);
    }
  return FALSE;
}

char *
weft_infer_print_dim (const WeftDim *dim)
{
  WeftShape shape = { .type = WEFT_F32, .rank = 1, .dims = { *dim } };
  g_autofree char *text = weft_shape_print (&shape);

  text[strlen (text) - 1] = '\0';
  return g_strdup (text + strlen ("f32["));
}

/* One dimension of an input against its pattern; %FALSE with @why set when it does not fit. */
static gboolean
match_dim (WeftInference *self, const WeftSize *size, const WeftDim *actual, const char *origin, char **why)
{
  WeftDim wanted;
  const WeftBinding *binding;
  g_autofree char *is = NULL, *needs = NULL;

  if (size->kind == WEFT_SIZE_LETTER && !g_hash_table_lookup (self->letters, size->name))
    {
      weft_infer_bind (self, size->name, actual, origin);
      return TRUE;
    }
  if (!weft_infer_evaluate (self, size, FALSE, &wanted))
    return TRUE;
  if (weft_dim_equal (&wanted, actual))
    return TRUE;
  is = weft_infer_print_dim (actual);
  needs = weft_infer_print_dim (&wanted);
  binding = size->kind == WEFT_SIZE_LETTER ? g_hash_table_lookup (self->letters, size->name) : NULL;
  if (binding)
    *why = g_strdup_printf ("%s is %s here, but %s from %s", size->name, is, needs, binding->origin);
  else
    *why = g_strdup_printf ("a size is %s, but must be %s", is, needs);
  return FALSE;
}

static gboolean
match_ragged (WeftInference *self, const WeftDimPattern *pattern, const WeftDim *actual, const char *origin, char **why)
{
  WeftDim samples = actual->samples ? (WeftDim){ .size = 1, .symbol = actual->samples } : constant (actual->sample_count);

  if (!actual->ragged)
    {
      *why = g_strdup ("it is not ragged (rows that belong to samples)");
      return FALSE;
    }
  return match_dim (self, pattern->samples, &samples, origin, why) && match_dim (self, pattern->size, actual, origin, why);
}

static gboolean
match_ellipsis (WeftInference *self, const WeftShape *shape, guint first, guint n, const char *origin, char **why)
{
  if (!self->has_ellipsis)
    {
      self->has_ellipsis = TRUE;
      self->ellipsis_rank = n;
      self->ellipsis_origin = g_strdup (origin);
      memcpy (self->ellipsis, &shape->dims[first], n * sizeof (WeftDim));
      return TRUE;
    }
  for (guint i = 0; i < n && n == self->ellipsis_rank; i++)
    if (!weft_dim_equal (&self->ellipsis[i], &shape->dims[first + i]))
      {
        g_autofree char *is = weft_infer_print_dim (&shape->dims[first + i]);
        g_autofree char *needs = weft_infer_print_dim (&self->ellipsis[i]);
        *why = g_strdup_printf ("a leading size is %s here, but %s from %s", is, needs, self->ellipsis_origin);
        return FALSE;
      }
  if (n != self->ellipsis_rank)
    *why = g_strdup_printf ("it has %u leading dimensions, but %s has %u", n, self->ellipsis_origin, self->ellipsis_rank);
  return n == self->ellipsis_rank;
}

gboolean
weft_infer_match_shape (WeftInference *self, const WeftSignature *signature, const WeftShape *shape, const char *origin, char **why)
{
  guint fixed = 0, at = 0;
  gboolean ellipsis = FALSE;

  for (guint i = 0; i < signature->n; i++)
    signature->dims[i].kind == WEFT_DIM_ELLIPSIS ? (ellipsis = TRUE, 0) : fixed++;
  if (signature->type != shape->type)
    {
      *why = g_strdup_printf ("its type is %s", weft_type_name (shape->type));
      return FALSE;
    }
  if (ellipsis ? shape->rank < fixed : shape->rank != fixed)
    {
      *why =
          g_strdup_printf ("it has %u dimension%s, not %s%u", shape->rank, shape->rank == 1 ? "" : "s", ellipsis ? "at least " : "", fixed);
      return FALSE;
    }
  for (guint i = 0; i < signature->n; i++)
    {
      const WeftDimPattern *pattern = &signature->dims[i];
      guint n = pattern->kind == WEFT_DIM_ELLIPSIS ? shape->rank - fixed : 1;
      gboolean fits = pattern->kind == WEFT_DIM_ELLIPSIS ? match_ellipsis (self, shape, at, n, origin, why)
                      : pattern->kind == WEFT_DIM_RAGGED ? match_ragged (self, pattern, &shape->dims[at], origin, why)
                                                         : match_dim (self, pattern->size, &shape->dims[at], origin, why);
      if (!fits)
        return FALSE;
      at += n;
    }
  return TRUE;
}

gboolean
weft_infer_match_domain (const WeftInference *self, const WeftSignature *signature, const WeftShape *shape, char **why)
{
  WeftDim demand;

  if (!signature->below || !shape->below || !weft_infer_evaluate (self, signature->below, FALSE, &demand) || demand.symbol
      || shape->below <= demand.size)
    return TRUE;
  *why = g_strdup_printf ("its values go up to %" G_GINT64_FORMAT ", but only values below %" G_GINT64_FORMAT " are understood",
                          shape->below - 1, demand.size);
  return FALSE;
}

/* The size that a pattern gives to a new tensor; introduces symbols where @may_introduce. */
static gboolean
make_size (WeftInference *self, const WeftSize *size, const WeftSize *bound, gboolean may_introduce, WeftDim *dim)
{
  WeftDim limit;

  if (weft_infer_evaluate (self, size, FALSE, dim))
    return dim->size >= 0;
  if (!may_introduce || size->kind != WEFT_SIZE_LETTER || !bound || !weft_infer_evaluate (self, bound, TRUE, &limit) || limit.size < 0)
    return FALSE;
  *dim = (WeftDim){ .size = 1, .symbol = weft_graph_add_symbol (self->graph, size->name, limit.size, self->node->path) };
  weft_infer_bind (self, size->name, dim, self->node->path);
  return TRUE;
}

static gboolean
make_ragged (WeftInference *self, const WeftDimPattern *pattern, gboolean may_introduce, WeftDim *dim)
{
  WeftDim samples;
  gboolean known = g_hash_table_contains (self->letters, pattern->size->name);

  if (!make_size (self, pattern->samples, pattern->samples_bound, may_introduce, &samples)
      || !make_size (self, pattern->size, pattern->bound, may_introduce, dim))
    return FALSE;
  if (!known)
    {
      dim->ragged = TRUE;
      dim->samples = samples.symbol;
      dim->sample_count = samples.size;
      weft_infer_bind (self, pattern->size->name, dim, self->node->path);
    }
  return dim->ragged;
}

gboolean
weft_infer_make_shape (WeftInference *self, const WeftSignature *signature, gboolean may_introduce, WeftShape *shape)
{
  *shape = (WeftShape){ .type = signature->type };
  for (guint i = 0; i < signature->n; i++)
    {
      const WeftDimPattern *pattern = &signature->dims[i];
      WeftDim *dim = &shape->dims[shape->rank];
      if (pattern->kind == WEFT_DIM_ELLIPSIS)
        {
          if (!self->has_ellipsis || shape->rank + self->ellipsis_rank > WEFT_MAX_RANK)
            return FALSE;
          memcpy (dim, self->ellipsis, self->ellipsis_rank * sizeof (WeftDim));
          shape->rank += self->ellipsis_rank;
          continue;
        }
      if (shape->rank == WEFT_MAX_RANK)
        return FALSE;
      if (pattern->kind == WEFT_DIM_RAGGED ? !make_ragged (self, pattern, may_introduce, dim)
                                           : !make_size (self, pattern->size, pattern->bound, may_introduce, dim))
        return FALSE;
      shape->rank++;
    }
  if (signature->below)
    {
      WeftDim below;
      if (weft_infer_evaluate (self, signature->below, TRUE, &below))
        shape->below = below.size;
    }
  return TRUE;
}
