/* Matrix products: the fast kernel and plain C against sums in double precision, for sizes at and around those of tiles, all
 * transpositions, strides, factors, and any number of threads.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include "bf16.h"
#include "rig.h"

/* Columns of a stored row beyond those of the matrix. */
#define PADDING 3

typedef struct
{
  gint64 m, n, k;
  gboolean transpose_a, transpose_b;
  double alpha, beta;
  gboolean rounded; /* operands, to bfloat16 */
} Product;

typedef struct
{
  Product product;
  float *a, *b, *c, *before;
  gint64 a_stride, b_stride, c_stride;
} Problem;

static float *
random_matrix (const char *name, gint64 rows, gint64 stride)
{
  float *values = g_new (float, rows *stride + 1);
  WeftRandom random = weft_random_for (1, name, 0);
  for (gint64 i = 0; i < rows * stride; i++)
    values[i] = 2 * weft_random_uniform (random, (guint32) i) - 1;
  return values;
}

static void
problem_init (Problem *problem, const Product *p)
{
  problem->product = *p;
  problem->a_stride = (p->transpose_a ? p->m : p->k) + PADDING;
  problem->b_stride = (p->transpose_b ? p->k : p->n) + PADDING;
  problem->c_stride = p->n + PADDING;
  problem->a = random_matrix ("a", p->transpose_a ? p->k : p->m, problem->a_stride);
  problem->b = random_matrix ("b", p->transpose_b ? p->n : p->k, problem->b_stride);
  problem->c = random_matrix ("c", p->m, problem->c_stride);
  /* What is not to be read must not matter. */
  for (gint64 i = 0; i < p->m * problem->c_stride; i++)
    if (p->beta == 0 && i % problem->c_stride < p->n)
      problem->c[i] = NAN;
  problem->before = g_memdup2 (problem->c, (gsize) (p->m * problem->c_stride) * sizeof (float));
}

static void
problem_clear (Problem *problem)
{
  g_free (problem->a);
  g_free (problem->b);
  g_free (problem->c);
  g_free (problem->before);
}

static double
operand (const Product *p, float value)
{
  return (double) (p->rounded ? nearest_bf16 (value) : value);
}

/* A sum of k products in any order is off by at most γ_k Σ|a b|, γ_k = k u / (1 − k u), u = 2⁻²⁴; factors add a few roundings. */
static void
check (const Problem *problem)
{
  const Product *p = &problem->product;
  for (gint64 i = 0; i < p->m; i++)
    for (gint64 j = 0; j < problem->c_stride; j++)
      {
        double exact = 0, bound = 0, before = (double) problem->before[i * problem->c_stride + j],
               found = (double) problem->c[i * problem->c_stride + j];
        if (j >= p->n)
          {
            if (found != before)
              ck_abort_msg ("wrote beyond row %d", (int) i);
            continue;
          }
        for (gint64 l = 0; l < p->k; l++)
          {
            double term = operand (p, problem->a[p->transpose_a ? l * problem->a_stride + i : i * problem->a_stride + l])
                          * operand (p, problem->b[p->transpose_b ? j * problem->b_stride + l : l * problem->b_stride + j]);
            exact += term;
            bound += fabs (term);
          }
        exact = p->alpha * exact + (p->beta == 0 ? 0 : p->beta * before);
        bound = ((double) p->k + 4) * 0x1p-24 * (fabs (p->alpha) * bound + fabs (p->beta)) + 1e-30;
        if (!(fabs (found - exact) <= bound))
          ck_abort_msg ("%d×%d×%d%s%s: element %d, %d is %.9g instead of %.9g", (int) p->m, (int) p->n, (int) p->k,
                        p->transpose_a ? " Aᵀ" : "", p->transpose_b ? " Bᵀ" : "", (int) i, (int) j, found, exact);
      }
}

static const gint64 sizes[][3] = { { 1, 1, 1 },        { 1, 7, 5 },      { 6, 1, 33 },     { 17, 19, 23 },    { 64, 65, 64 },
                                   { 3, 40, 0 },       { 65, 90, 64 },   { 257, 40, 9 },   { 40, 513, 11 },   { 256, 512, 2 },
                                   { 130, 3, 700 },    { 0, 5, 3 },      { 5, 0, 3 },      { 260, 520, 13 },  { 2060, 33, 520 },
                                   { 15, 2100, 1030 }, { 30, 40, 1537 }, { 600, 130, 70 }, { 130, 300, 600 }, { 700, 20, 40 } };

/* A product of each size, one of each transposition and with each pair of factors. */
static Product
product_at (int index)
{
  static const double factors[][2] = { { 1, 0 }, { -0.5, 1 }, { 2, 0.25 } };
  const gint64 *size = sizes[index / 4];
  return (Product){ size[0], size[1], size[2], index & 1, (index >> 1) & 1, factors[index % 3][0], factors[index % 3][1], FALSE };
}

#define N_PRODUCTS ((int) G_N_ELEMENTS (sizes) * 4)

static void
multiply_here (Problem *problem)
{
  const Product *p = &problem->product;
  weft_matrix_product_here (p->transpose_a, p->transpose_b, p->m, p->n, p->k, (float) p->alpha, problem->a, problem->a_stride, problem->b,
                            problem->b_stride, (float) p->beta, problem->c, problem->c_stride);
}

START_TEST (plain_products_are_right)
{
  /* Without modules there is plain C. */
  Product product = product_at (_i);
  Problem problem;
  problem_init (&problem, &product);
  multiply_here (&problem);
  check (&problem);
  problem_clear (&problem);
}
END_TEST

/* An operator that multiplies on its executor's team. */

static Problem *shared;

static void
multiply_forward (const WeftCall *call)
{
  const Product *p = &shared->product;
  weft_matrix_product (call, p->transpose_a, p->transpose_b, p->m, p->n, p->k, (float) p->alpha, shared->a, shared->a_stride, shared->b,
                       shared->b_stride, (float) p->beta, shared->c, shared->c_stride);
  *(float *) call->out[0]->data = 1;
}

static const WeftOperator multiply = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "test_multiply",
  .version = 1,
  .summary = "a product of matrices from elsewhere",
  .inputs = (const WeftPort[]){ { .name = NULL } },
  .outputs = (const WeftPort[]){ { .name = "done", .signature = "f32[]", .meaning = "" }, { .name = NULL } },
  .forward = multiply_forward,
  .not_differentiable = "a test",
  .allows_bf16 = TRUE,
};

/* Takes the team. */
static void
multiply_with (Problem *problem, WeftTeam *team)
{
  g_autoptr (GError) error = NULL;
  Rig rig;
  shared = problem;
  rig_start (&rig, problem->product.rounded ? "graphs: {train: {compute: bf16, nodes: {x: {op: test_multiply}}, collect: {x: x}}}"
                                            : "graphs: {train: {nodes: {x: {op: test_multiply}}, collect: {x: x}}}");
  weft_executor_free (rig.executor);
  weft_team_free (rig.team);
  rig.team = team;
  rig.executor = weft_executor_new (rig.plan, rig.store, rig.team, 1, &error);
  ck_assert_msg (rig.executor != NULL, "%s", error ? error->message : "");
  ck_assert (rig_step (&rig, 0, 0));
  rig_clear (&rig);
}

static gboolean
is_fast (void)
{
  const GPtrArray *modules = weft_registry_modules ();
  for (guint i = 0; i < modules->len; i++)
    if (((const WeftLoaded *) modules->pdata[i])->module && ((const WeftLoaded *) modules->pdata[i])->module->matrix_product != NULL)
      return TRUE;
  return FALSE;
}

/* Of float32, then of bfloat16. */
START_TEST (fast_products_are_right_for_any_number_of_threads)
{
  Product product = product_at (_i % N_PRODUCTS);
  Problem one, many;
  product.rounded = _i >= N_PRODUCTS;
  g_autoptr (GError) error = NULL;
  weft_registry_load (NULL);
  ck_assert_msg (is_fast (), "no module brings a matrix product");
  ck_assert_msg (weft_registry_add (&multiply, &error), "%s", error ? error->message : "");
  problem_init (&one, &product);
  multiply_with (&one, weft_team_new (1, NULL));
  check (&one);
  for (guint threads = 2; threads < (product.rounded ? 4 : 6); threads++)
    {
      gboolean dealt = threads == (product.rounded ? 3 : 5); /* takes the last tile first */
      problem_init (&many, &product);
      multiply_with (&many, dealt ? weft_team_new_dealt (threads) : weft_team_new (threads, NULL));
      ck_assert_msg (memcmp (one.c, many.c, (gsize) (product.m * one.c_stride) * sizeof (float)) == 0, "%u threads give other bits",
                     threads);
      problem_clear (&many);
    }
  problem_clear (&one);
}
END_TEST

START_TEST (fast_products_within_tiles_are_right)
{
  Product product = product_at (_i);
  Problem problem;
  weft_registry_load (NULL);
  problem_init (&problem, &product);
  multiply_here (&problem);
  check (&problem);
  problem_clear (&problem);
}
END_TEST

/* A row alone is what it is among many: the ways to compute products, which differ by size, form each sum alike. */
START_TEST (numbers_do_not_depend_on_how_many_there_are)
{
  static const gint64 sums[] = { 16, 40, 70, 600, 1100 };
  Problem many, few;
  weft_registry_load (NULL);
  problem_init (&many, &(Product){ 700, 300, sums[_i], FALSE, FALSE, 1, 0, FALSE });
  problem_init (&few, &(Product){ 700, 300, sums[_i], FALSE, FALSE, 1, 0, FALSE });
  multiply_here (&many);
  few.product.m = 37;
  few.product.n = 33;
  multiply_here (&few);
  for (gint64 i = 0; i < few.product.m; i++)
    ck_assert_mem_eq (many.c + i * many.c_stride, few.c + i * few.c_stride, (gsize) few.product.n * sizeof (float));
  problem_clear (&many);
  problem_clear (&few);
}
END_TEST

/* Not a number and infinity reach every element that they are part of, and no other; what infinity becomes there is up to the kernels. */
START_TEST (not_a_number_spreads_as_far_as_it_should)
{
  enum
  {
    M = 19,
    N = 37,
    K = 21
  };
  float a[M * K], b[K * N], c[M * N];
  weft_registry_load (NULL);
  for (int i = 0; i < M * K; i++)
    a[i] = (float) (i % 5) - 2;
  for (int i = 0; i < K * N; i++)
    b[i] = (float) (i % 7) - 3;
  a[17 * K + 20] = NAN;
  b[3 * N + 36] = NAN;
  a[2 * K + 1] = INFINITY;
  b[1 * N + 4] = 0;
  weft_matrix_product_here (FALSE, FALSE, M, N, K, 1, a, K, b, N, 0, c, N);
  for (int i = 0; i < M; i++)
    for (int j = 0; j < N; j++)
      {
        gboolean nan = i == 17 || j == 36 || (i == 2 && b[N + j] == 0);
        ck_assert_int_eq (isfinite (c[i * N + j]) != 0, !nan && i != 2);
        ck_assert (!nan || isnan (c[i * N + j]));
      }
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("product");
  TCase *tests = tcase_create ("product");
  tcase_set_timeout (tests, 60);
  tcase_add_loop_test (tests, plain_products_are_right, 0, N_PRODUCTS);
  tcase_add_loop_test (tests, fast_products_are_right_for_any_number_of_threads, 0, 2 * N_PRODUCTS);
  tcase_add_loop_test (tests, fast_products_within_tiles_are_right, 0, N_PRODUCTS);
  tcase_add_loop_test (tests, numbers_do_not_depend_on_how_many_there_are, 0, 5);
  tcase_add_test (tests, not_a_number_spreads_as_far_as_it_should);
  suite_add_tcase (suite, tests);
  /* Modules are loaded by the tests that need them: each has a process of its own. */
  SRunner *runner = srunner_create (suite);
  srunner_set_fork_status (runner, CK_FORK);
  srunner_run_all (runner, CK_NORMAL);
  int failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
