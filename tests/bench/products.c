/* products [THREADS [PART OF A NAME]]: matrix products of the sizes that models have, from float32 and from bfloat16, beside BLIS (float32)
 * and the rate at which this processor multiplies and adds, as lines of JSON. They take turns; figures are medians over the rounds, of processor time, which other work on the machine disturbs little.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef WEFT_BLIS_IN_FOLDER
#include <blis/blis.h>
#else
#include <blis.h>
#endif

#include "execute.h"
#include "pipeline.h"
#include "registry.h"

typedef struct
{
  const char *name;
  gint64 m, n, k;
  gboolean transpose_a, transpose_b;
} Shape;

static const Shape shapes[] = {
  { "region features", 36 * 128, 1024, 2048, FALSE, TRUE },
  { "region weights gradient", 1024, 2048, 36 * 128, TRUE, FALSE },
  { "region gradient", 36 * 128, 512, 1024, FALSE, FALSE },
  { "BERT projection", 1841, 768, 768, FALSE, TRUE },
  { "BERT first", 1841, 3072, 768, FALSE, TRUE },
  { "BERT second", 1841, 768, 3072, FALSE, TRUE },
  { "BERT second gradient", 1841, 3072, 768, FALSE, FALSE },
  { "BERT weights gradient", 3072, 768, 1841, TRUE, FALSE },
  { "128 rows", 128, 1024, 1024, FALSE, TRUE },
  { "128 rows, wide", 128, 4096, 1024, FALSE, TRUE },
  { "128 rows, state", 128, 3072, 1024, FALSE, TRUE },
  { "128 rows, state gradient", 128, 1024, 3072, FALSE, FALSE },
  { "40 rows, state", 40, 3072, 1024, FALSE, TRUE },
  { "queue", 128, 2048, 1024, FALSE, TRUE },
  { "captions", 128, 256, 256, FALSE, TRUE },
  { "attention scores", 36, 36, 64, FALSE, TRUE },
  { "attention values", 36, 64, 36, FALSE, FALSE },
  { "odd", 127, 301, 259, TRUE, TRUE },
};

#define ROUNDS 9
/* Work of one measurement, in multiplications and additions: tens of milliseconds. */
#define WORK 2e9

static struct
{
  guint threads;
  const char *only;
} options = { .threads = 1 };

static gboolean bf16;

static double
processor_seconds (void)
{
  struct timespec now;
  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double) now.tv_sec + 1e-9 * (double) now.tv_nsec;
}

static double
wall_seconds (void)
{
  struct timespec now;
  clock_gettime (CLOCK_MONOTONIC, &now);
  return (double) now.tv_sec + 1e-9 * (double) now.tv_nsec;
}

/* Twelve chains of multiply-and-add on registers: the limit of one core. Returns its operations. */
#define LIMIT_STEPS 2000000
#define LIMIT(name, bytes, ...)                                                                                                            \
  __VA_ARGS__ static double name (void)                                                                                                    \
  {                                                                                                                                        \
    typedef float Lanes __attribute__ ((vector_size (bytes)));                                                                             \
    Lanes a = { 1 }, b = { 2 }, c = { 3 }, d = { 4 }, e = { 5 }, f = { 6 }, g = { 7 }, h = { 8 }, i = { 9 }, j = { 10 }, k = { 11 },       \
          l = { 12 }, x = (Lanes){ 0 } + 0.999f, y = (Lanes){ 0 } + 0.001f;                                                                \
    for (int step = 0; step < LIMIT_STEPS; step++)                                                                                         \
      {                                                                                                                                    \
        a = a * x + y, b = b * x + y, c = c * x + y, d = d * x + y, e = e * x + y, f = f * x + y;                                          \
        g = g * x + y, h = h * x + y, i = i * x + y, j = j * x + y, k = k * x + y, l = l * x + y;                                          \
        __asm__ volatile("" ::: "memory");                                                                                                 \
      }                                                                                                                                    \
    volatile float kept = (a + b + c + d + e + f + g + h + i + j + k + l)[0];                                                              \
    (void) kept;                                                                                                                           \
    return 12.0 * 2 * (bytes) / sizeof (float) * LIMIT_STEPS;                                                                              \
  }

LIMIT (limit_baseline, 16)
#ifdef __x86_64__
LIMIT (limit_avx2, 32, __attribute__ ((target ("avx2,fma"))))
LIMIT (limit_avx512, 64, __attribute__ ((target ("avx512f,fma"))))
#endif

#ifdef __x86_64__
#include <immintrin.h>
/* The same with pairs of bfloat16. */
static __attribute__ ((target ("avx512f,avx512bf16"))) double
limit_bf16 (void)
{
  __m512 sums[12] = { 0 };
  __m512bh x = (__m512bh) _mm512_set1_epi32 (0x3f803f80), y = (__m512bh) _mm512_set1_epi32 (0x3a803a80);
  for (int step = 0; step < LIMIT_STEPS; step++)
    {
#pragma GCC unroll 12
      for (int i = 0; i < 12; i++)
        sums[i] = _mm512_dpbf16_ps (sums[i], x, y);
      __asm__ volatile("" ::: "memory");
    }
  for (int i = 1; i < 12; i++)
    sums[0] += sums[i];
  volatile float kept = sums[0][0];
  (void) kept;
  return 12.0 * 2 * 32 * LIMIT_STEPS;
}
#endif

/* Of the instructions that Weft uses: the processor's, or the lesser ones that WEFT_VECTOR asks for. */
static double
limit (void)
{
#ifdef __x86_64__
  const char *asked = g_getenv ("WEFT_VECTOR");
  gboolean baseline = g_strcmp0 (asked, "baseline") == 0, avx2 = g_strcmp0 (asked, "avx2") == 0;
  __builtin_cpu_init ();
  if (bf16 && !asked && __builtin_cpu_supports ("avx512bf16"))
    return limit_bf16 ();
  if (!baseline && !avx2 && __builtin_cpu_supports ("avx512f"))
    return limit_avx512 ();
  if (!baseline && __builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma"))
    return limit_avx2 ();
#endif
  return limit_baseline ();
}

static int
compare (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return x < y ? -1 : x > y;
}

static double
median (double *values)
{
  qsort (values, ROUNDS, sizeof *values, compare);
  return values[ROUNDS / 2];
}

static float *
numbers (gint64 n)
{
  float *values = g_aligned_alloc ((gsize) n + 16, sizeof (float), 64);
  for (gint64 i = 0; i < n; i++)
    values[i] = (float) (i % 13) - 6;
  return values;
}

static void
multiply_by_blis (const Shape *s, const float *a, const float *b, float *c)
{
  rntm_t runtime;
  float one = 1, zero = 0;
  bli_rntm_init (&runtime);
  bli_rntm_set_num_threads (1, &runtime);
  bli_sgemm_ex (s->transpose_a ? BLIS_TRANSPOSE : BLIS_NO_TRANSPOSE, s->transpose_b ? BLIS_TRANSPOSE : BLIS_NO_TRANSPOSE, s->m, s->n, s->k,
                &one, (float *) a, s->transpose_a ? s->m : s->k, 1, (float *) b, s->transpose_b ? s->k : s->n, 1, &zero, c, s->n, 1, NULL,
                &runtime);
}

static void
measure (const WeftCall *call, const Shape *s)
{
  float *a = numbers (s->m * s->k), *b = numbers (s->k * s->n), *c = numbers (s->m * s->n);
  double work = 2.0 * (double) s->m * (double) s->n * (double) s->k;
  gint64 times = MAX (1, (gint64) (WORK / work));
  double top[ROUNDS], ours[ROUNDS], wall[ROUNDS], blis[ROUNDS];

  for (int round = 0; round < ROUNDS; round++)
    {
      double start = processor_seconds (), operations = limit ();
      top[round] = operations / (processor_seconds () - start);
      double begin = wall_seconds ();
      start = processor_seconds ();
      for (gint64 i = 0; i < times; i++)
        weft_matrix_product (call, s->transpose_a, s->transpose_b, s->m, s->n, s->k, 1, a, s->transpose_a ? s->m : s->k, b,
                             s->transpose_b ? s->k : s->n, 0, c, s->n);
      ours[round] = work * (double) times / (processor_seconds () - start);
      wall[round] = work * (double) times / (wall_seconds () - begin);
      start = processor_seconds ();
      for (gint64 i = 0; i < times; i++)
        multiply_by_blis (s, a, b, c);
      blis[round] = work * (double) times / (processor_seconds () - start);
    }
  double best = median (top);
  printf ("{\"product\": \"%s\", \"compute\": \"%s\", \"m\": %d, \"n\": %d, \"k\": %d, \"threads\": %u, \"limit_gflops\": %.1f, \"share\": "
          "%.3f, \"wall_share\": "
          "%.3f, \"blis_share\": %.3f}\n",
          s->name, bf16 ? "bf16" : "float32", (int) s->m, (int) s->n, (int) s->k, options.threads, best * 1e-9, median (ours) / best,
          median (wall) / best / options.threads, median (blis) / best);
  fflush (stdout);
  g_aligned_free (a);
  g_aligned_free (b);
  g_aligned_free (c);
}

static void
measure_all (const WeftCall *call)
{
  bf16 = call->compute == WEFT_COMPUTE_BF16;
  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++)
    if (!options.only || strstr (shapes[i].name, options.only))
      measure (call, &shapes[i]);
  *(float *) call->out[0]->data = 0;
}

static const WeftOperator bench_products = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "bench_products",
  .version = 1,
  .summary = "measures products",
  .inputs = (const WeftPort[]){ { .name = NULL } },
  .outputs = (const WeftPort[]){ { .name = "done", .signature = "f32[]", .meaning = "" }, { .name = NULL } },
  .forward = measure_all,
  .not_differentiable = "a benchmark",
  .allows_bf16 = TRUE,
};

static gboolean
run (GError **error)
{
  static const char pipeline_text[] = "graphs: {products: {nodes: {x: {op: bench_products}, y: {op: bench_products, compute: bf16}}, "
                                      "collect: {x: x, y: y}}}";
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autoptr (WeftValue) document = weft_document_parse (pipeline_text, -1, "products", problems);
  g_autoptr (WeftPipeline) pipeline = document ? weft_pipeline_build (document, problems) : NULL;
  g_autoptr (WeftStore) store = weft_store_new ();
  g_autoptr (WeftTeam) team = NULL;
  g_autoptr (WeftPlan) plan = NULL;
  g_autoptr (WeftExecutor) executor = NULL;

  if (!weft_problems_to_error (problems, error))
    return FALSE;
  team = weft_team_new (options.threads, error);
  plan = team ? weft_plan_new (weft_pipeline_graph (pipeline, "products"), error) : NULL;
  if (!plan || !weft_store_prepare (store, pipeline, 0, error))
    return FALSE;
  executor = weft_executor_new (plan, store, team, 0, error);
  return executor && weft_executor_step (executor, 0, 0, error) != WEFT_STEP_ERROR;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  options.threads = argc > 1 ? (guint) MAX (atoi (argv[1]), 1) : 1;
  options.only = argc > 2 ? argv[2] : NULL;
  weft_registry_load (NULL);
  if (weft_registry_add (&bench_products, &error) && run (&error))
    return 0;
  fprintf (stderr, "products: %s\n", error->message);
  return 1;
}
