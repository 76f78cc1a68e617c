/* Matrix products: by the module that brings fast ones, or by plain C on tiles that are cut by shape.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "product.h"

#include "registry.h"
#include "team.h"

/* Tiles large enough that packing is amortised, small enough to keep a few threads busy. */
#define TILE_ROWS 256
#define TILE_COLUMNS 512

static void
plain_product (gboolean transpose_a, gboolean transpose_b, gint64 m, gint64 n, gint64 k, float alpha, const float *a, gint64 a_stride,
               const float *b, gint64 b_stride, float beta, float *c, gint64 c_stride)
{
  for (gint64 i = 0; i < m; i++)
    for (gint64 j = 0; j < n; j++)
      {
        float sum = 0;
        for (gint64 p = 0; p < k; p++)
          sum += (transpose_a ? a[p * a_stride + i] : a[i * a_stride + p]) * (transpose_b ? b[j * b_stride + p] : b[p * b_stride + j]);
        c[i * c_stride + j] = alpha * sum + (beta == 0 ? 0 : beta * c[i * c_stride + j]);
      }
}

static const WeftModule plain_module = { .size = sizeof (WeftModule), .matrix_product = plain_product };

/* The module that multiplies. */
static const WeftModule *
multiplier (void)
{
  static gsize chosen;

  if (g_once_init_enter (&chosen))
    {
      const GPtrArray *modules = weft_registry_modules ();
      const WeftModule *found = &plain_module;
      for (guint i = 0; i < modules->len; i++)
        {
          const WeftLoaded *loaded = modules->pdata[i];
          if (loaded->module && loaded->module->matrix_product)
            found = loaded->module;
        }
      g_once_init_leave (&chosen, (gsize) found);
    }
  return (const WeftModule *) chosen;
}

static gboolean
uses_team (const WeftModule *module)
{
  return module->size > G_STRUCT_OFFSET (WeftModule, team_matrix_product) && module->team_matrix_product;
}

typedef struct
{
  gboolean transpose_a, transpose_b;
  gint64 m, n, k;
  float alpha;
  const float *a;
  gint64 a_stride;
  const float *b;
  gint64 b_stride;
  float beta;
  float *c;
  gint64 c_stride;
  gint64 rows, columns, across; /* of a tile; tiles side by side */
} Tiles;

static void
product_tile (gpointer data, gint64 index, guint member)
{
  const Tiles *self = data;
  gint64 i = index / self->across * self->rows, j = index % self->across * self->columns;

  (void) member;
  multiplier ()->matrix_product (self->transpose_a, self->transpose_b, MIN (self->rows, self->m - i), MIN (self->columns, self->n - j),
                                 self->k, self->alpha, self->transpose_a ? self->a + i : self->a + i * self->a_stride, self->a_stride,
                                 self->transpose_b ? self->b + j * self->b_stride : self->b + j, self->b_stride, self->beta,
                                 self->c + i * self->c_stride + j, self->c_stride);
}

/* At least two tiles where there is work for two, by shape alone. */
static void
cut (Tiles *self)
{
  self->rows = TILE_ROWS;
  self->columns = TILE_COLUMNS;
  if (self->m <= TILE_ROWS && self->n <= TILE_COLUMNS && self->m * self->n * self->k > 64 * 64 * 64)
    {
      if (self->n >= self->m)
        self->columns = MAX ((self->n / 2 + 31) / 32 * 32, 32);
      else
        self->rows = MAX ((self->m / 2 + 31) / 32 * 32, 32);
    }
  self->across = (self->n + self->columns - 1) / self->columns;
}

static gboolean counting;
static gint64 counted;

void
weft_products_count (gboolean on)
{
  counting = on;
  __atomic_store_n (&counted, 0, __ATOMIC_RELAXED);
}

gint64
weft_products_counted (void)
{
  return __atomic_load_n (&counted, __ATOMIC_RELAXED);
}

void
weft_products_note (gint64 m, gint64 n, gint64 k)
{
  if (G_UNLIKELY (counting))
    __atomic_fetch_add (&counted, 2 * m * n * k, __ATOMIC_RELAXED);
}

void
weft_matrix_product (const WeftCall *call, gboolean transpose_a, gboolean transpose_b, gint64 m, gint64 n, gint64 k, float alpha,
                     const float *a, gint64 a_stride, const float *b, gint64 b_stride, float beta, float *c, gint64 c_stride)
{
  Tiles self = { transpose_a, transpose_b, m, n, k, alpha, a, a_stride, b, b_stride, beta, c, c_stride, 0, 0, 0 };

  if (m <= 0 || n <= 0)
    return;
  weft_products_note (m, n, k);
  if (uses_team (multiplier ()))
    {
      multiplier ()->team_matrix_product (call, transpose_a, transpose_b, m, n, k, alpha, a, a_stride, b, b_stride, beta, c, c_stride);
      return;
    }
  cut (&self);
  weft_parallel (call, (m + self.rows - 1) / self.rows * self.across, product_tile, &self);
}

void
weft_matrix_product_here (gboolean transpose_a, gboolean transpose_b, gint64 m, gint64 n, gint64 k, float alpha, const float *a,
                          gint64 a_stride, const float *b, gint64 b_stride, float beta, float *c, gint64 c_stride)
{
  if (m <= 0 || n <= 0)
    return;
  weft_products_note (m, n, k);
  multiplier ()->matrix_product (transpose_a, transpose_b, m, n, k, alpha, a, a_stride, b, b_stride, beta, c, c_stride);
}
