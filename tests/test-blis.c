/* Which of BLIS's configurations is chosen: for processors that are not here by their facts, for this one by `weft info`.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "../ops/kernels/blis-choice.h"

#define INTEL .family = 6
#define AVX2 .avx2_fma = TRUE
#define AVX512 .avx2_fma = TRUE, .avx512 = TRUE

/* Debian 12's BLIS 0.9.0; one that knows Zen 4 and Zen 5; one built for haswell alone; one built for skx alone. */
#define DEBIAN "skx knl haswell sandybridge penryn zen3 zen2 zen excavator steamroller piledriver bulldozer generic"
#define NEWER "zen5 zen4 " DEBIAN

static const struct
{
  const char *processor;
  BlisProcessor facts;
  const char *available, *chosen;
} table[] = {
  { "Zen", { .amd = TRUE, .family = 0x17, .model = 0x01, AVX2 }, DEBIAN, "zen" },
  { "Zen+", { .amd = TRUE, .family = 0x17, .model = 0x08, AVX2 }, DEBIAN, "zen" },
  { "Zen 2", { .amd = TRUE, .family = 0x17, .model = 0x31, AVX2 }, DEBIAN, "zen2" },
  { "Zen 3", { .amd = TRUE, .family = 0x19, .model = 0x01, AVX2 }, DEBIAN, "zen3" },
  { "Zen 3 and an older BLIS", { .amd = TRUE, .family = 0x19, .model = 0x01, AVX2 }, "skx haswell zen generic", "zen" },
  { "Zen 4", { .amd = TRUE, .family = 0x19, .model = 0x11, AVX512 }, DEBIAN, "skx" },
  { "Zen 4 and a newer BLIS", { .amd = TRUE, .family = 0x19, .model = 0x11, AVX512 }, NEWER, "zen4" },
  { "Zen 4 that hides AVX-512", { .amd = TRUE, .family = 0x19, .model = 0x11, AVX2 }, NEWER, "zen3" },
  { "Zen 5", { .amd = TRUE, .family = 0x1a, .model = 0x02, AVX512 }, DEBIAN, "skx" },
  { "Zen 5 and a newer BLIS", { .amd = TRUE, .family = 0x1a, .model = 0x02, AVX512 }, NEWER, "zen5" },
  { "Zen 5 that hides AVX-512", { .amd = TRUE, .family = 0x1a, .model = 0x02, AVX2 }, DEBIAN, "zen3" },
  { "Zen 5 and a BLIS without AVX-512", { .amd = TRUE, .family = 0x1a, .model = 0x02, AVX512 }, "haswell generic", "haswell" },
  { "Haswell", { INTEL, .model = 0x3c, AVX2 }, DEBIAN, "haswell" },
  { "Skylake-X", { INTEL, .model = 0x55, AVX512 }, DEBIAN, "skx" },
  { "Sapphire Rapids", { INTEL, .model = 0x8f, AVX512 }, NEWER, "skx" },
  { "Skylake-X and a BLIS without AVX-512", { INTEL, .model = 0x55, AVX512 }, "haswell generic", "haswell" },
  { "Haswell and a BLIS for AVX-512 alone", { INTEL, .model = 0x3c, AVX2 }, "skx", NULL },
  { "Knights Landing", { INTEL, .model = 0x57, AVX2, .avx512_knights = TRUE }, DEBIAN, NULL },
  { "Sandy Bridge", { INTEL, .model = 0x2a }, DEBIAN, NULL },
  { "Piledriver", { .amd = TRUE, .family = 0x15, .model = 0x02 }, DEBIAN, NULL },
  { "Excavator", { .amd = TRUE, .family = 0x15, .model = 0x60, AVX2 }, DEBIAN, "haswell" },
  { "valgrind on anything with AVX2", { INTEL, .model = 0x3c, AVX2 }, DEBIAN, "haswell" },
  { "another architecture", { .family = 0 }, "thunderx2 cortexa57 generic", NULL },
};

START_TEST (the_best_that_was_compiled_in_is_chosen)
{
  g_auto (GStrv) available = g_strsplit (table[_i].available, " ", -1);
  const char *why = NULL, *chosen = blis_choose (&table[_i].facts, (const char *const *) available, &why);

  ck_assert_msg (g_strcmp0 (chosen, table[_i].chosen) == 0, "%s: %s instead of %s", table[_i].processor, chosen ? chosen : "nothing",
                 table[_i].chosen ? table[_i].chosen : "nothing");
  ck_assert_ptr_nonnull (why);
}
END_TEST

/* What `weft info` prints with BLIS_ARCH_TYPE set to @value, or not set. */
static char *
info (const char *value)
{
  const char *const command[] = { WEFT_TEST_BUILD_DIR "/weft", "info", NULL };
  g_auto (GStrv) environment = g_environ_unsetenv (g_get_environ (), "BLIS_ARCH_TYPE");
  g_autoptr (GError) error = NULL;
  char *out = NULL;
  int status;

  if (value)
    environment = g_environ_setenv (environment, "BLIS_ARCH_TYPE", value, TRUE);
  g_spawn_sync (NULL, (char **) command, environment, G_SPAWN_DEFAULT, NULL, NULL, &out, NULL, &status, &error);
  ck_assert_msg (!error, "%s", error ? error->message : "");
  ck_assert_int_eq (status, 0);
  return out;
}

/* The word after @before in @text. */
static char *
word_after (const char *text, const char *before)
{
  const char *start = strstr (text, before);

  ck_assert_msg (start != NULL, "\"%s\" is not in: %s", before, text);
  start += strlen (before);
  return g_strndup (start, strcspn (start, " ,()\n"));
}

START_TEST (unknown_choices_of_users_are_refused_with_what_there_is)
{
  const char *const values[] = { "9999", "-1", "abacus", "" };
  g_autofree char *out = info (values[_i]);

  ck_assert_ptr_nonnull (strstr (out, "refused"));
  ck_assert_ptr_nonnull (strstr (out, "names none of BLIS's configurations"));
  ck_assert_ptr_nonnull (strstr (out, "(generic)"));
}
END_TEST

START_TEST (this_processor_is_served)
{
  g_autofree char *out = info (NULL), *name = word_after (out, ", kernels ");

  ck_assert_ptr_null (strstr (out, "different versions"));
#ifdef __x86_64__
  if (__builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma"))
    ck_assert_str_ne (name, "generic");
#endif
}
END_TEST

/* By number and by name, whatever this version of BLIS understands. */
START_TEST (the_choice_of_users_is_respected)
{
  g_autofree char *refusal = info ("9999");
  const char *end = strstr (refusal, " (generic)"), *start = end;
  ck_assert_ptr_nonnull (end);
  while (g_ascii_isdigit (start[-1]))
    start--;
  g_autofree char *number = g_strndup (start, (gsize) (end - start));
  const char *const values[] = { number, "generic" };

  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    {
      g_autofree char *out = info (values[i]), *name = word_after (out, ", kernels "),
                      *why = g_strdup_printf ("BLIS_ARCH_TYPE=%s was set)", values[i]);
      ck_assert_str_eq (name, "generic");
      ck_assert_msg (strstr (out, why) != NULL, "%s", out);
    }
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("blis");
  TCase *choice = tcase_create ("choice"), *here = tcase_create ("here");
  SRunner *runner = srunner_create (suite);
  int failed;

  tcase_add_loop_test (choice, the_best_that_was_compiled_in_is_chosen, 0, G_N_ELEMENTS (table));
  suite_add_tcase (suite, choice);
  tcase_set_timeout (here, 30);
  tcase_add_test (here, this_processor_is_served);
  tcase_add_test (here, the_choice_of_users_is_respected);
  tcase_add_loop_test (here, unknown_choices_of_users_are_refused_with_what_there_is, 0, 4);
  suite_add_tcase (suite, here);
  srunner_run_all (runner, CK_NORMAL);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
