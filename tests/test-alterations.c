/* What training does to captions and regions in the pipelines as they are shipped: words are masked, replaced and dropped, and regions are
 * dropped, with the right frequencies, differently by path and by step, the same for any number of threads.
 *
 * Bounds are five standard deviations, which a right program passes all but once in two million times; seeds are fixed, so that it passes
 * always or never.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "shipped.h"

/* Shares of words: a fifth is altered; of those half are masked, a tenth is replaced, the rest is dropped. */
#define INTACT 0.80
#define MASKED 0.10
#define REPLACED 0.02
#define DROPPED 0.08

/* Entries of the vocabulary that nothing but a replacement gives. */
#define OTHERS 7

typedef struct
{
  gint64 words, intact, masked, replaced, dropped, starts, ends;
  guint32 entries[VOCABULARY];
} Fates;

static const struct
{
  const char *name, *overlay;
  gboolean pieces; /* words are cut into pieces; else they are entries of a vocabulary of words */
} pipelines[] = {
  { "user-f30k", "sources-with-keys.yaml", TRUE },      { "user-f30k-bigru", "sources-with-keys.yaml", FALSE },
  { "user-coco", "sources-of-coco.yaml", TRUE },        { "vse-infinity-f30k", "sources.yaml", TRUE },
  { "vse-infinity-f30k-bigru", "sources.yaml", FALSE },
};

static char *
settings_for (int which, const char *more)
{
  return pipelines[which].pieces
             ? g_strdup_printf ("bert=%s\ngraphs.train.nodes.tokens.size=%d\nbatch=512%s", shipped_folder, VOCABULARY, more)
             : g_strdup_printf ("vocabulary=%s/vocab.json\nwords=%d\nbatch=512%s", shipped_folder, VOCABULARY, more);
}

/* Words stay whole: each has two pieces of the same fate. */
static void
count_pieces (const gint32 *ids, gint32 n, Fates *fates)
{
  if (ids[0] != CLS || ids[n - 1] != SEP || n % 2 != 0)
    ck_abort_msg ("a caption of %d pieces begins with %d and ends with %d", n, ids[0], ids[n - 1]);
  for (gint32 i = 1; i < n - 1; i += 2)
    {
      gboolean intact = ids[i] == FIRST && ids[i + 1] == SECOND, masked = ids[i] == MASK && ids[i + 1] == MASK;
      fates->intact += intact;
      fates->masked += masked;
      fates->replaced += !intact && !masked;
      if (intact || masked)
        continue;
      fates->entries[ids[i]]++;
      fates->entries[ids[i + 1]]++;
    }
  fates->words += WORDS;
  fates->dropped += WORDS - (n - 2) / 2;
}

/* <start> and <end> are words like others. */
static void
count_words (const gint32 *ids, gint32 n, Fates *fates)
{
  for (gint32 i = 0; i < n; i++)
    {
      fates->starts += ids[i] == CLS;
      fates->ends += ids[i] == SEP;
      fates->intact += ids[i] == FIRST;
      fates->masked += ids[i] == MASK;
      fates->replaced += ids[i] >= OTHERS;
      fates->entries[ids[i]]++;
    }
  fates->words += WORDS + 2;
  fates->dropped += WORDS + 2 - n;
}

/* Replacements are drawn from the whole vocabulary, so a few of them look like something else. */
static void
check_fates (const Fates *fates, gboolean pieces)
{
  double n = (double) fates->words, captions = n / (WORDS + 2), chance = REPLACED / VOCABULARY;
  guint first = pieces ? 0 : OTHERS, bins = VOCABULARY - first;
  double draws = 0, chi = 0;
  ck_assert_share (fates->dropped, n, DROPPED, "dropped");
  if (pieces)
    {
      ck_assert_share (fates->intact, n, INTACT + chance / VOCABULARY, "intact");
      ck_assert_share (fates->masked, n, MASKED + chance / VOCABULARY, "masked");
      ck_assert_share (fates->replaced, n, REPLACED * (1 - 2.0 / VOCABULARY / VOCABULARY), "replaced");
    }
  else
    {
      ck_assert_share (fates->intact, n, INTACT * WORDS / (WORDS + 2) + chance, "intact");
      ck_assert_share (fates->starts, n, INTACT * captions / n + chance, "<start>");
      ck_assert_share (fates->ends, n, INTACT * captions / n + chance, "<end>");
      ck_assert_share (fates->masked, n, MASKED + chance, "masked");
      ck_assert_share (fates->replaced, n, chance * (VOCABULARY - OTHERS), "replaced");
    }
  for (guint i = first; i < VOCABULARY; i++)
    draws += fates->entries[i];
  for (guint i = first; i < VOCABULARY; i++)
    chi += (fates->entries[i] - draws / bins) * (fates->entries[i] - draws / bins) / (draws / bins);
  ck_assert_msg (fabs (chi - (bins - 1)) < 5 * sqrt (2.0 * (bins - 1)), "replacements are not uniform: χ² is %g for %u entries", chi, bins);
}

START_TEST (words_are_altered_as_often_as_said)
{
  g_autofree char *settings = settings_for (_i, "");
  Fates fates = { 0 };
  guint64 epoch = 0;
  Rig rig;
  shipped_start (&rig, pipelines[_i].name, pipelines[_i].overlay, settings, 1, 7);
  for (guint64 step = 0; fates.words < MILLION; step++)
    {
      shipped_step_on (&rig, step, &epoch);
      const WeftTensor *tokens = rig_value (&rig, "tokens.tokens");
      for (gint64 i = 0; i < tokens->samples; i++)
        (pipelines[_i].pieces ? count_pieces : count_words) ((const gint32 *) tokens->data + tokens->offsets[i],
                                                             tokens->offsets[i + 1] - tokens->offsets[i], &fates);
    }
  check_fates (&fates, pipelines[_i].pieces);
  rig_clear (&rig);
}
END_TEST

/* Lengths of a step's captions, which are all the same text: how many words were dropped of each. */
static double *
lengths (Rig *rig, const char *node, gint64 *n)
{
  g_autofree char *path = g_strconcat (node, ".tokens", NULL);
  const WeftTensor *tokens = rig_value (rig, path);
  double *values = g_new (double, tokens->samples), mean = 0, square = 0;
  *n = tokens->samples;
  for (gint64 i = 0; i < *n; i++)
    {
      values[i] = tokens->offsets[i + 1] - tokens->offsets[i];
      mean += values[i] / (double) *n;
    }
  for (gint64 i = 0; i < *n; i++)
    square += (values[i] - mean) * (values[i] - mean) / (double) *n;
  ck_assert_double_gt (square, 0.1);
  for (gint64 i = 0; i < *n; i++)
    values[i] = (values[i] - mean) / sqrt (square);
  return values;
}

/* Captions' lengths correlate with nothing: r has a standard deviation of 1/√n. */
static void
compare_lengths (const double *a, const double *b, gint64 n, const char *what)
{
  double sum = 0;
  for (gint64 i = 0; i < n; i++)
    sum += a[i] * b[i];
  ck_assert_msg (fabs (sum / (double) n) < 5 / sqrt ((double) n), "%s: correlation %g", what, sum / (double) n);
}

START_TEST (alterations_differ_by_path_step_and_seed)
{
  g_autofree char *copy =
      g_strdup_printf ("\ngraphs.train.nodes.copy={op: wordpiece, text: pairs.captions, vocabulary: %s/vocab.txt, size: 64, "
                       "alter: 0.2}\ngraphs.train.collect.copy=copy.tokens",
                       shipped_folder);
  g_autofree char *settings = settings_for (0, copy);
  guint64 epoch = 0;
  gint64 n, m;
  Rig rig, other;
  shipped_start (&rig, "user-f30k", "sources-with-keys.yaml", settings, 2, 7);
  shipped_start (&other, "user-f30k", "sources-with-keys.yaml", settings, 2, 8);
  shipped_step_on (&rig, 0, &epoch);
  shipped_step_on (&other, 0, &epoch);
  g_autofree double *first = lengths (&rig, "tokens", &n), *path = lengths (&rig, "copy", &m), *seed = lengths (&other, "tokens", &m);
  shipped_step_on (&rig, 1, &epoch);
  g_autofree double *step = lengths (&rig, "tokens", &m);
  compare_lengths (first, path, n, "another path");
  compare_lengths (first, seed, n, "another seed");
  compare_lengths (first, step, n, "another step");
  compare_lengths (first, first + 1, n - 1, "the next caption");
  rig_clear (&rig);
  rig_clear (&other);
}
END_TEST

static void
compare_outputs (Rig *one, Rig *many, const char *path)
{
  const WeftTensor *a = rig_value (one, path), *b = rig_value (many, path);
  ck_assert_int_eq (a->samples, b->samples);
  ck_assert_mem_eq (a->offsets, b->offsets, (gsize) (a->samples + 1) * sizeof (gint32));
  ck_assert_mem_eq (a->data, b->data, weft_tensor_bytes (a));
}

START_TEST (threads_change_nothing)
{
  g_autofree char *settings = settings_for (_i, "");
  guint64 epoch = 0;
  Rig one, many;
  shipped_start (&one, pipelines[_i].name, pipelines[_i].overlay, settings, 1, 7);
  shipped_start (&many, pipelines[_i].name, pipelines[_i].overlay, settings, 4, 7);
  for (guint64 step = 0; step < 2; step++)
    {
      shipped_step_on (&one, step, &epoch);
      shipped_step_on (&many, step, &epoch);
      compare_outputs (&one, &many, "tokens.tokens");
      compare_outputs (&one, &many, "pairs.regions");
    }
  rig_clear (&one);
  rig_clear (&many);
}
END_TEST

/* Which regions of each sample are left: the first number of a region says which it is. Returns: bits of kept regions. */
static guint64 *
kept_regions (Rig *rig, const char *node, gint64 *n)
{
  g_autofree char *path = g_strconcat (node, ".regions", NULL);
  const WeftTensor *regions = rig_value (rig, path);
  guint64 *kept = g_new0 (guint64, regions->samples);
  *n = regions->samples;
  for (gint64 i = 0; i < *n; i++)
    for (gint32 r = regions->offsets[i]; r < regions->offsets[i + 1]; r++)
      {
        guint64 bit = G_GUINT64_CONSTANT (1) << (guint) ((const float *) regions->data)[r * WIDTH];
        if (kept[i] >= bit)
          ck_abort_msg ("regions of sample %d are out of order", (int) i);
        kept[i] |= bit;
      }
  return kept;
}

START_TEST (regions_are_dropped_as_often_as_said)
{
  g_autofree char *settings = settings_for (3, "");
  gint64 samples = 0, kept = 0, of_place[REGIONS] = { 0 };
  guint64 epoch = 0;
  Rig rig;
  shipped_start (&rig, "vse-infinity-f30k", "sources.yaml", settings, 2, 7);
  for (guint64 step = 0; samples * REGIONS < MILLION; step++)
    {
      gint64 n;
      shipped_step_on (&rig, step, &epoch);
      g_autofree guint64 *bits = kept_regions (&rig, "pairs", &n);
      for (gint64 i = 0; i < n; i++)
        for (guint r = 0; r < REGIONS; r++)
          of_place[r] += bits[i] >> r & 1;
      samples += n;
    }
  for (guint r = 0; r < REGIONS; r++)
    {
      ck_assert_share (of_place[r], samples, 0.8, "kept at a place");
      kept += of_place[r];
    }
  ck_assert_share (kept, samples * REGIONS, 0.8, "kept");
  rig_clear (&rig);
}
END_TEST

static void
compare_regions (const guint64 *a, const guint64 *b, gint64 n, const char *what)
{
  gint64 different = 0;
  for (gint64 i = 0; i < n; i++)
    different += __builtin_popcountll (a[i] ^ b[i]);
  ck_assert_share (different, n * REGIONS, 2 * 0.2 * 0.8, what);
}

START_TEST (regions_differ_by_path_step_and_seed)
{
  g_autofree char *settings = settings_for (3, ""), *for_renamed = g_strdup_printf ("bert=%s\nbatch=512", shipped_folder);
  guint64 epoch = 0;
  gint64 n, m;
  Rig rig, other, renamed;
  shipped_start (&rig, "vse-infinity-f30k", "sources.yaml", settings, 2, 7);
  shipped_start (&other, "vse-infinity-f30k", "sources.yaml", settings, 2, 8);
  rig_write (
      shipped_folder, "renamed.yaml",
      "include: [sources.yaml]\n"
      "graphs:\n"
      "  train:\n"
      "    nodes: {pairs: null, tokens: null, items: {op: region_features, path: $data, batch: $batch, regions: $regions, width: $width, "
      "drop: 0.2}}\n"
      "    collect: {regions: items.regions, tokens: null}\n",
      -1);
  shipped_start (&renamed, "vse-infinity-f30k", "renamed.yaml", for_renamed, 2, 7);
  shipped_step_on (&rig, 0, &epoch);
  shipped_step_on (&other, 0, &epoch);
  shipped_step_on (&renamed, 0, &epoch);
  g_autofree guint64 *first = kept_regions (&rig, "pairs", &n), *seed = kept_regions (&other, "pairs", &m),
                     *path = kept_regions (&renamed, "items", &m);
  shipped_step_on (&rig, 1, &epoch);
  g_autofree guint64 *step = kept_regions (&rig, "pairs", &m);
  compare_regions (first, path, n, "another path");
  compare_regions (first, seed, n, "another seed");
  compare_regions (first, step, n, "another step");
  compare_regions (first, first + 1, n - 1, "the next image");
  rig_clear (&rig);
  rig_clear (&other);
  rig_clear (&renamed);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("alterations");
  TCase *tests = tcase_create ("alterations");
  tcase_set_timeout (tests, 400);
  tcase_add_checked_fixture (tests, shipped_set_up, shipped_tear_down);
  tcase_add_loop_test (tests, words_are_altered_as_often_as_said, 0, G_N_ELEMENTS (pipelines));
  tcase_add_test (tests, alterations_differ_by_path_step_and_seed);
  tcase_add_loop_test (tests, threads_change_nothing, 0, G_N_ELEMENTS (pipelines));
  tcase_add_test (tests, regions_are_dropped_as_often_as_said);
  tcase_add_test (tests, regions_differ_by_path_step_and_seed);
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}
